"""The right team and the right agent for every ticket."""
