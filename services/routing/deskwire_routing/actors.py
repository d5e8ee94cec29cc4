"""Under which names routing acts on tickets."""

from typing import Final

from deskwire_shared.contracts.commit import Actor

ROUTING: Final = "routing"
"""The id of this service among actors."""
BY_ROUTING: Final = Actor(kind="system", id=ROUTING)
BY_RULE: Final = Actor(kind="rule", id=ROUTING)
