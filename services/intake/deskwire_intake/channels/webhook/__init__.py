"""Signed requests of other services, read by mappings."""
