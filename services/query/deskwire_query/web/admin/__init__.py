"""The administration: documents of the directory, the ledger of intake."""
