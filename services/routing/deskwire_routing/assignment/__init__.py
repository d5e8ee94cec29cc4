"""How tickets find their agents, and how agents keep what they can carry.

`reactions` hears what happened and calls the others: `placing`, `overflow` and `absences` move tickets. Who gets one is
found by `matching` and `choosing`, among those whom `roster`, `attendance`, `capacity` and `skills` let take it, by one
of the `strategies`. `claims` keeps processes together within each agent's capacity.
"""
