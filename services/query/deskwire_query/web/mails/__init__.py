"""Mails as their senders laid them out, made harmless; and the local outbox."""
