"""How a mail of ours joins the customer's thread: its subject and what it refers to."""

import re
from dataclasses import dataclass
from typing import Final

from deskwire_notify.mails.header_lines import one_line
from deskwire_shared.ticket.state import Message, Ticket

LONGEST_SUBJECT: Final = 200
MOST_REFERENCES: Final = 20

_MESSAGE_ID: Final = re.compile(r"[!-;=?-~]{1,250}\Z")
"""Printable ASCII without blanks and angle brackets."""
_ANSWERED: Final = re.compile(r"(?:(?:re|aw|antw|sv|fwd?|wg)(?:\[\d{1,3}\])?\s{0,3}:\s{0,3})+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Thread:
    """The Message-IDs before ours, without brackets, the oldest first."""

    in_reply_to: str | None = None
    references: tuple[str, ...] = ()


def answered_message(ticket: Ticket, reply: Message) -> Message | None:
    """Find what a reply answers: the last thing a person said before it."""
    before = ticket.messages[: ticket.messages.index(reply)]
    return next((said for said in reversed(before) if said.is_by_the_customer), None)


def thread_of(message: Message | None) -> Thread:
    """Continue the thread of a customer's message; of a long one, the first and the last ids are kept."""
    if message is None or not _is_sendable(message.internet_message_id):
        return Thread()
    ids = [found for found in (*message.references, message.internet_message_id) if _is_sendable(found)]
    unique = tuple(dict.fromkeys(_bare(found) for found in ids if found))
    kept = unique if len(unique) <= MOST_REFERENCES else (unique[0], *unique[1 - MOST_REFERENCES :])
    return Thread(_bare(message.internet_message_id or ""), kept)


def bare_subject(subject: str, number: int) -> str:
    """Take the marks of an answer and the ticket's number off a subject, and bound it."""
    without_number = one_line(subject.replace(f"[#{number}]", " "))
    marks = _ANSWERED.match(without_number)
    return without_number[marks.end() if marks else 0 :][:LONGEST_SUBJECT].strip()


def answering_subject(subject: str, number: int) -> str:
    """Write `Re: subject [#number]`, whatever of it the subject holds already."""
    return " ".join(filter(None, ("Re:", bare_subject(subject, number), f"[#{number}]")))


def _is_sendable(message_id: str | None) -> bool:
    return message_id is not None and _MESSAGE_ID.match(_bare(message_id)) is not None


def _bare(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">")
