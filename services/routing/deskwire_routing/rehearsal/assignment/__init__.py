"""Rehearses assignment: who would have got which ticket when, had teams and agents been as they are drafted."""
