"""Which customers has the desk met? And under whose keys a ticket's facts are sealed."""

from collections.abc import Iterator
from typing import Any

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import CustomerReplied, Opened, PersonalFact, RequesterChanged

Person = dict[str, Any]


def project(commit: Commit) -> Iterator[Person]:
    """Give the customers that a commit tells something about."""
    for fact in commit.facts:
        match fact:
            case Opened(requester_id=person_id, author=address) | CustomerReplied(author_id=person_id, author=address):
                yield {"id": person_id, "name": address.name, "address": address.address, "last_seen_at": commit.at}
            case RequesterChanged(after=person_id, requester=address):
                yield {"id": person_id, "name": address.name, "address": address.address, "last_seen_at": commit.at}
            case _:
                pass


def key_owners(commit: Commit) -> frozenset[str]:
    """Name the people under whose keys facts of a commit are sealed."""
    return frozenset(fact.person_id for fact in commit.facts if isinstance(fact, PersonalFact))
