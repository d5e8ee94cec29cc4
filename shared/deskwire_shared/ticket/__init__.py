"""The ticket aggregate: pure decisions over a folded history."""
