"""Forms on web pages."""
