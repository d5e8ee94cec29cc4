"""What happened on a ticket? One entry a fact worth showing, and what later facts make of earlier entries."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import BaseModel

from deskwire_shared.contracts.commit import Commit
from deskwire_shared.contracts.facts import (
    AgentReplied,
    Attachment,
    CustomerMessage,
    CustomerReplied,
    Fact,
    NoteAdded,
    Opened,
    Redacted,
    ReplyBounced,
    ReplyDelivered,
    ReplyWithdrawn,
    RequesterChanged,
    Split,
    UnknownFact,
)

Entry = dict[str, Any]

HIDDEN: Final[Mapping[str, Any]] = {
    "redacted": True, "subject": "", "text": "", "html": None, "quoted": None, "signature": None,
    "attachments": [],
}  # fmt: skip
SHOWN_ELSEWHERE: Final = {"type", "person_id", "message_id"}
"""What stands in an entry's own columns, or is nobody's business."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a later fact makes of the entry of a message."""

    ticket_id: str
    message_id: str
    changes: Mapping[str, Any]


def project(commit: Commit, *, sequence: int) -> Iterator[Entry | Amendment]:
    """Give the entries of a commit, each after the amendments that its fact makes."""
    for version, fact in enumerate(commit.facts, commit.first_version):
        amend = AMENDMENTS.get(type(fact))
        if amend is not None:
            yield from amend(commit.ticket_id, fact)
        if type(fact) is not UnknownFact:
            entry = _envelope(commit, version, sequence)
            entry.update(_content(fact), fact=short_name(type(fact)))
            yield entry


@cache
def short_name(kind: type[Fact]) -> str:
    """Name a kind of fact as people read it: `status_changed`."""
    name: str = kind.model_fields["type"].default
    return name.split(".")[1]


def _envelope(commit: Commit, version: int, sequence: int) -> Entry:
    return {
        "ticket_id": commit.ticket_id,
        "version": version,
        "sequence": sequence,
        "at": commit.at,
        "actor_kind": commit.actor.kind,
        "actor_id": commit.actor.id,
        "kind": "change",
        "correlation_id": commit.correlation_id,
        "causation_id": commit.causation_id,
        "message_id": None,
        "author_id": None,
        "author_name": "",
        "author_address": "",
        "subject": "",
        "text": "",
        "html": None,
        "quoted": None,
        "signature": None,
        "attachments": [],
        "delivery": "none",
        "delivery_reason": "",
        "redacted": False,
        "moved_to": None,
    }


def _content(fact: Fact) -> Entry:
    content = CONTENTS.get(type(fact))
    if content is not None:
        return content(fact)
    return {"details": {"data": _plain(fact)}, "message_id": vars(fact).get("message_id")}


def _plain(fact: BaseModel) -> Entry:
    """Give what a change says, without what is empty."""
    return fact.model_dump(mode="json", exclude=SHOWN_ELSEWHERE, exclude_none=True)


def _opened(fact: Opened) -> Entry:
    said = {"number": fact.number, "priority": fact.priority, "tags": list(fact.tags)}
    return _customer_message(fact, fact.requester_id, said)


def _customer_replied(fact: CustomerReplied) -> Entry:
    return _customer_message(fact, fact.author_id, {})


def _customer_message(fact: CustomerMessage, author_id: str, data: Entry) -> Entry:
    return {
        "kind": "customer",
        "message_id": fact.message_id,
        "author_id": author_id,
        "author_name": fact.author.name,
        "author_address": fact.author.address,
        "subject": fact.subject,
        "text": fact.text,
        "html": fact.html,
        "quoted": fact.quoted,
        "signature": fact.signature,
        "attachments": _attachments(fact.attachments),
        "details": _details(
            to=fact.to,
            cc=fact.cc,
            channel=fact.channel,
            machine=fact.machine,
            spam=fact.spam,
            protection=fact.protection,
            authentication=fact.authentication,
            raw_key=fact.raw_key,
            data=data,
        ),
    }


def _agent_replied(fact: AgentReplied) -> Entry:
    return {
        "kind": "reply",
        "message_id": fact.message_id,
        "author_id": fact.agent_id,
        "text": fact.text,
        "html": fact.html,
        "attachments": _attachments(fact.attachments),
        "delivery": "waiting",
        "details": _details(to=fact.to, cc=fact.cc, automated=fact.automated),
    }


def _note_added(fact: NoteAdded) -> Entry:
    return {
        "kind": "note",
        "message_id": fact.message_id,
        "author_id": fact.agent_id,
        "text": fact.text,
        "attachments": _attachments(fact.attachments),
        "details": _details(mentions=fact.mentions),
    }


def _requester_changed(fact: RequesterChanged) -> Entry:
    return {
        "author_id": fact.after,
        "author_name": fact.requester.name,
        "author_address": fact.requester.address,
        "details": {"data": {"before": fact.before, "after": fact.after}},
    }


def _details(**values: Any) -> Entry:
    """Keep what is not empty."""
    return {name: _jsonable(value) for name, value in values.items() if value}


def _jsonable(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_jsonable(item) for item in value]
    return value.model_dump() if isinstance(value, BaseModel) else value


def _attachments(attachments: tuple[Attachment, ...]) -> list[Entry]:
    return [attachment.model_dump(mode="json", exclude_none=True) for attachment in attachments]


def _delivered(ticket_id: str, fact: ReplyDelivered) -> Iterator[Amendment]:
    yield Amendment(ticket_id, fact.message_id, {"delivery": "delivered", "delivery_reason": ""})


def _bounced(ticket_id: str, fact: ReplyBounced) -> Iterator[Amendment]:
    outcome = {"delivery": "bounced"} if fact.permanent else {}
    yield Amendment(ticket_id, fact.message_id, {**outcome, "delivery_reason": fact.reason})


def _withdrawn(ticket_id: str, fact: ReplyWithdrawn) -> Iterator[Amendment]:
    yield Amendment(ticket_id, fact.message_id, {"delivery": "withdrawn", "delivery_reason": ""})


def _redacted(ticket_id: str, fact: Redacted) -> Iterator[Amendment]:
    yield Amendment(ticket_id, fact.message_id, HIDDEN)


def _split(ticket_id: str, fact: Split) -> Iterator[Amendment]:
    for message_id in fact.message_ids:
        yield Amendment(ticket_id, message_id, {"moved_to": fact.into})


CONTENTS: Final[Mapping[type[Fact], Callable[[Any], Entry]]] = {
    Opened: _opened,
    CustomerReplied: _customer_replied,
    AgentReplied: _agent_replied,
    NoteAdded: _note_added,
    RequesterChanged: _requester_changed,
}

AMENDMENTS: Final[Mapping[type[Fact], Callable[[str, Any], Iterator[Amendment]]]] = {
    ReplyDelivered: _delivered,
    ReplyBounced: _bounced,
    ReplyWithdrawn: _withdrawn,
    Redacted: _redacted,
    Split: _split,
}
