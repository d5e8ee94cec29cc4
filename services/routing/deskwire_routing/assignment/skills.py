"""The skills a ticket asks for, as its tags say.

| tag               | meaning                                                    |
|-------------------|------------------------------------------------------------|
| `skill:german`    | whoever takes the ticket must have the skill               |
| `skill:german:4`  | they must have it at proficiency 4 or 5                    |
| `prefer:billing`  | among those who may take it, whoever has it more is better |

Agents, rules and macros can all set tags, so they can all ask for skills. A tag that is not written like this is
no more than a tag.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

TAG: Final = re.compile(r"(skill|prefer):([a-z0-9][a-z0-9_-]{0,39})(?::([1-5]))?", re.ASCII)
MOST: Final = 20
"""Skills of one ticket that are looked at."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Skills by name: those that are needed, with the least proficiency, and those that are welcome."""

    required: tuple[tuple[str, int], ...] = ()
    preferred: tuple[str, ...] = ()

    def missing(self, skills: Mapping[str, int]) -> str | None:
        """Name the first required skill that is not there, or not enough of it."""
        return next((_name(skill, least) for skill, least in self.required if skills.get(skill, 0) < least), None)

    def match(self, skills: Mapping[str, int]) -> int:
        """Add up the proficiency in all that is asked for."""
        return sum(skills.get(skill, 0) for skill in {*self.preferred, *(skill for skill, _ in self.required)})


@lru_cache(maxsize=1024)
def demand(tags: tuple[str, ...]) -> Demand:
    """Read what tags ask for."""
    required: dict[str, int] = {}
    preferred: dict[str, None] = {}
    for kind, skill, least in _asked(tags):
        if kind == "skill":
            required[skill] = max(required.get(skill, 1), least)
        else:
            preferred[skill] = None
    return Demand(tuple(required.items()), tuple(preferred))


def _asked(tags: Iterable[str]) -> list[tuple[str, str, int]]:
    found = filter(None, map(TAG.fullmatch, tags))
    return [(match[1], match[2], int(match[3] or 1)) for match in found][:MOST]


def _name(skill: str, least: int) -> str:
    return skill if least == 1 else f"{skill} at {least}"
