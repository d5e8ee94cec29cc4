"""The ways out of the desk: one module per technology, one port in front."""
