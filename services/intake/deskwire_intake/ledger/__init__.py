"""The ledger of intake: what became of each message, written before its sender is told."""
