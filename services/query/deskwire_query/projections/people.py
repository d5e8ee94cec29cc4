"""Which customers has the desk met? And under whose keys a ticket's facts are sealed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import (
    FACTS,
    Address,
    CustomerReplied,
    Fact,
    Opened,
    PersonalFact,
    RequesterChanged,
)

Person = dict[str, Any]


SEALED: Final = frozenset(model for model in FACTS.values() if issubclass(model, PersonalFact))
MEETINGS: Final[Mapping[type[Fact], Callable[[Any], tuple[str, Address]]]] = {
    Opened: lambda fact: (fact.requester_id, fact.author),
    CustomerReplied: lambda fact: (fact.author_id, fact.author),
    RequesterChanged: lambda fact: (fact.after, fact.requester),
}
"""Which facts tell something about a customer: the id and the address."""


def project(commit: Commit) -> Iterator[Person]:
    """Give the customers that a commit tells something about."""
    for fact in commit.facts:
        meet = MEETINGS.get(type(fact))
        if meet is not None:
            person_id, address = meet(fact)
            yield {"id": person_id, "name": address.name, "address": address.address, "last_seen_at": commit.at}


def key_owners(commit: Commit) -> frozenset[str]:
    """Name the people under whose keys facts of a commit are sealed."""
    sealed: Iterator[Any] = (fact for fact in commit.facts if type(fact) in SEALED)
    return frozenset(fact.person_id for fact in sealed)
