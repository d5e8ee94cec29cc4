"""Everything that leaves the desk: answers, acknowledgements, notices."""
