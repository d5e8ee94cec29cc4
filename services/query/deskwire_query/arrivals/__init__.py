"""What came in by which way, and what became of it: the ledger of intake as a table, to be looked through and counted.

It is no part of a generation: it follows a stream of its own, which forgets what is old.
"""
