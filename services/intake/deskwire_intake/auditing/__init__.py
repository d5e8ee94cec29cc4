"""Holding the ledger of intake against what the mail servers hold."""
