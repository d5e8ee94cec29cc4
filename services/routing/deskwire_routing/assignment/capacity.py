"""How many open tickets an agent takes: all together, and of those that came by one medium."""

from dataclasses import dataclass

from deskwire_shared.contracts.staff import Agent


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """The open tickets of an agent: all, and those of the medium that is asked about."""

    total: int
    of_medium: int


def is_limited(agent: Agent, medium: str) -> bool:
    """Whether tickets of a medium have a limit with this agent."""
    return "default" in agent.capacity or medium in agent.capacity


def room(agent: Agent, medium: str, load: Load) -> int | None:
    """Say how many more tickets of a medium an agent takes; None is without limit."""
    left = [
        limit - (load.total if name == "default" else load.of_medium)
        for name, limit in agent.capacity.items()
        if name in {"default", medium}
    ]
    return max(0, min(left)) if left else None
