"""Checks the read models against the log: chains, versions, the ledger byte for byte, and what was projected."""
