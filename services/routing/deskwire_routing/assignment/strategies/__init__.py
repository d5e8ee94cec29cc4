"""How an agent is chosen within a team: one module per strategy, each with its `pick`."""
