"""How many open tickets an agent takes: all together, and of those that came by one medium."""

from collections.abc import Iterator
from dataclasses import dataclass

from deskwire_shared.contracts.staff import Agent


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """The open tickets of an agent: all, and those of the medium that is asked about."""

    total: int
    of_medium: int


def is_limited(agent: Agent, medium: str) -> bool:
    """Whether tickets of a medium have a limit with this agent."""
    return any(True for _ in _limits(agent, medium, Load(total=0, of_medium=0)))


def room(agent: Agent, medium: str, load: Load) -> int | None:
    """Say how many more tickets of a medium an agent takes; None is without limit."""
    return min((max(0, limit - taken) for limit, taken in _limits(agent, medium, load)), default=None)


def _limits(agent: Agent, medium: str, load: Load) -> Iterator[tuple[int, int]]:
    for name, limit in agent.capacity.items():
        if name == "default":
            yield limit, load.total
        elif name == medium:
            yield limit, load.of_medium
