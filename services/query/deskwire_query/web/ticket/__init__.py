"""The page of a ticket, and what belongs to it."""
