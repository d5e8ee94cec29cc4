"""Connecting mailboxes from the command line."""
