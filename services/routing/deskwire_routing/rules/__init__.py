"""Business rules: what sets them off, which of them hold, and what they do to a ticket."""
