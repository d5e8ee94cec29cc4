"""By which words is a ticket found? One document a ticket: subject, people, tags and what was said."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import (
    Address,
    AgentReplied,
    CustomerMessage,
    CustomerReplied,
    Fact,
    NoteAdded,
    Opened,
    Redacted,
    RequesterChanged,
    SubjectChanged,
    TagsChanged,
)

Document = Mapping[str, Any]
Changes = dict[str, Any]

MESSAGE_LENGTH: Final = 8_000
MOST_MESSAGES: Final = 40
"""A document keeps the first message and the latest ones: a few long threads must not make every change slow."""
MOST_PEOPLE: Final = 50
MOST_FILES: Final = 20


def project(document: Document | None, commit: Commit, *, sequence: int) -> Document | None:
    """Carry a ticket's document on by one commit; the same object when nothing in it changed."""
    for fact in commit.facts:
        if type(fact) is Opened:
            document = _opened(fact, commit, sequence)
        elif document is not None and (change := CHANGES.get(type(fact))) is not None:
            document = {**document, **change(document, fact)}
    return document


def _opened(fact: Opened, commit: Commit, sequence: int) -> Document:
    return {
        "opening": sequence,
        "ticket_id": commit.ticket_id,
        "number": fact.number,
        "subject": fact.subject,
        "people": _people(fact.author),
        "tags": list(fact.tags),
        "messages": [_message(fact)],
    }


def _people(*people: Address) -> list[str]:
    return [f"{person.name} {person.address}".strip() for person in people]


def _message(fact: CustomerMessage | AgentReplied | NoteAdded) -> list[str]:
    names = [attachment.filename for attachment in fact.attachments[:MOST_FILES]]
    signed = (fact.signature or "",) if isinstance(fact, CustomerMessage) else ()
    return [fact.message_id, "\n".join(filter(None, (fact.text[:MESSAGE_LENGTH], *signed, *names)))]


def _customer_replied(document: Document, fact: CustomerReplied) -> Changes:
    return {**_with_person(document, fact.author), **_said(document, fact)}


def _said(document: Document, fact: CustomerMessage | AgentReplied | NoteAdded) -> Changes:
    messages: list[list[str]] = [*document["messages"], _message(fact)]
    return {"messages": [messages[0], *messages[1:][-(MOST_MESSAGES - 1) :]]}


def _with_person(document: Document, person: Address) -> Changes:
    people = list(dict.fromkeys([*document["people"], *_people(person)]))
    return {"people": people[-MOST_PEOPLE:]}


def _redacted(document: Document, fact: Redacted) -> Changes:
    hidden = fact.message_id
    return {"messages": [[said[0], ""] if said[0] == hidden else said for said in document["messages"]]}


CHANGES: Final[Mapping[type[Fact], Callable[[Document, Any], Changes]]] = {
    CustomerReplied: _customer_replied,
    AgentReplied: _said,
    NoteAdded: _said,
    Redacted: _redacted,
    SubjectChanged: lambda _document, fact: {"subject": fact.after},
    TagsChanged: lambda _document, fact: {"tags": list(fact.tags)},
    RequesterChanged: lambda document, fact: _with_person(document, fact.requester),
}
