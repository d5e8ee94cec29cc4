"""Live chats on web pages."""
