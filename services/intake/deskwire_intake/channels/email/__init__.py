"""Mails: what listens for them, and what becomes of each."""
