"""Rows of the tables to the values that the read side answers."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from deskwire_query.reading.read_models import (
    LinkView,
    SlaClockView,
    TaskView,
    TicketDetail,
    TicketRow,
    TimelineEntry,
)
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import Address, Attachment
from deskwire_shared.contracts.mails import Authentication

Row = Mapping[Any, Any]

LIST_COLUMNS: Final = tuple(field.name for field in fields(TicketRow))
ENTRY_COLUMNS: Final = (
    "ticket_id", "version", "sequence", "at", "kind", "fact", "correlation_id", "causation_id", "message_id",
    "author_id", "author_name", "author_address", "subject", "text", "html", "quoted", "signature",
    "delivery", "delivery_reason", "redacted", "moved_to",
)  # fmt: skip


def ticket_row(row: Row) -> TicketRow:
    """Give a ticket as lists show it."""
    return TicketRow(**_listed(row))


def ticket_detail(row: Row) -> TicketDetail:
    """Give a ticket with everything its page shows."""
    return TicketDetail(
        **_listed(row),
        fields={name: tuple(value) if isinstance(value, list) else value for name, value in row["fields"].items()},
        followers=tuple(row["followers"]),
        links=tuple(LinkView(**link) for link in row["links"]),
        tasks=tuple(TaskView(**{**task, "due_at": _moment(task["due_at"])}) for task in row["tasks"]),
        seconds_logged=row["seconds_logged"],
        rating=row["rating"],
        cc=_addresses(row["cc"]),
        follow_up_of=row["follow_up_of"],
    )


def timeline_entry(row: Row) -> TimelineEntry:
    """Give an entry of a ticket's timeline."""
    details = row["details"]
    return TimelineEntry(
        **{name: row[name] for name in ENTRY_COLUMNS},
        actor=Actor.model_construct(kind=row["actor_kind"], id=row["actor_id"]),
        to=_addresses(details.get("to", ())),
        cc=_addresses(details.get("cc", ())),
        attachments=tuple(map(_attachment, row["attachments"])),
        mentions=tuple(details.get("mentions", ())),
        channel=details.get("channel", ""),
        machine=details.get("machine"),
        spam=details.get("spam", False),
        protection=details.get("protection"),
        authentication=_authentication(details.get("authentication")),
        raw_key=details.get("raw_key"),
        automated=details.get("automated", False),
        data=details.get("data", {}),
    )


def _attachment(file: Row) -> Attachment:
    """Give an attachment; only what is seldom there is worth the time of a check."""
    is_plain = file.get("invitation") is None and file.get("mail") is None
    return Attachment.model_construct(**file) if is_plain else Attachment.model_validate(file)


def _authentication(told: Row | None) -> Authentication | None:
    return None if told is None else Authentication.model_construct(**told)


def _listed(row: Row) -> dict[str, Any]:
    return {
        **{name: row[name] for name in LIST_COLUMNS},
        "tags": tuple(row["tags"]),
        "clocks": tuple(_clock(clock) for clock in row["clocks"]),
    }


def _clock(clock: Row) -> SlaClockView:
    moments = {"warn_at": _moment(clock["warn_at"]), "due_at": _moment(clock["due_at"])}
    return SlaClockView(**{**clock, **moments}, remaining=max(0, clock["target"] - clock["used"]))


def _addresses(people: Iterable[Row]) -> tuple[Address, ...]:
    return tuple(Address.model_construct(**person) for person in people)


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
