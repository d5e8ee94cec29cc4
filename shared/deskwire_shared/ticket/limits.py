"""How much a ticket takes, and the checks that say so. Sizes are in bytes of UTF-8."""

from collections.abc import Iterable, Sized
from datetime import timedelta
from typing import Final

from deskwire_shared.contracts.facts import Address, Attachment, TicketFact
from deskwire_shared.ticket.markup import is_modest
from deskwire_shared.ticket.refusals import TooElaborate, TooLarge, TooMany, UnreadableText

KIB: Final = 1024
COMMIT_SIZE: Final = 640 * KIB
"""Of the facts as plain JSON; encrypted and in base64 they stay below 900 kB, within a message of 1 MiB."""
TEXT_SIZE: Final = 256 * KIB
HTML_SIZE: Final = 512 * KIB
LINE_SIZE: Final = 998
"""The longest line of a mail (RFC 5322, 2.1.1)."""
SUBJECT_LENGTH: Final = 998
TAG_LENGTH: Final = 64
FIELD_VALUE_SIZE: Final = 4 * KIB
FIELD_NUMBER: Final = 2**53 - 1
"""The biggest whole number every JSON reader keeps (RFC 8259, 6)."""
COMMENT_SIZE: Final = 16 * KIB

MESSAGES: Final = 10_000
ATTACHMENTS: Final = 100
RECIPIENTS: Final = 100
REFERENCES: Final = 200
WEBHOOK_CALLS: Final = 10_000
MENTIONS: Final = 100
TAGS: Final = 100
FIELDS: Final = 200
FIELD_CHOICES: Final = 100
FOLLOWERS: Final = 100
LINKS: Final = 100
TASKS: Final = 500
PARTICIPANTS: Final = 1_000
CLOCKS: Final = 10
CONDITIONS: Final = 100
COMMANDS: Final = 100
CONSIDERED: Final = 20
SECONDS_AT_ONCE: Final = 86_400
SNOOZE: Final = timedelta(days=730)


def require_text(what: str, text: str, limit: int) -> None:
    """Refuse text that is too long or cannot be stored.

    Raises `TooLarge` or `UnreadableText`.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise UnreadableText(what) from error
    if "\0" in text:
        raise UnreadableText(what)
    if size > limit:
        raise TooLarge(what, size, limit)


def require_lines(what: str, lines: Iterable[str]) -> None:
    """Refuse when one of the lines is too long or cannot be stored."""
    for line in lines:
        require_text(what, line, LINE_SIZE)


def require_modest(html: str | None) -> None:
    """Refuse HTML that no mail program should have to read.

    Raises `TooElaborate`.
    """
    if html is not None and not is_modest(html):
        raise TooElaborate


def require_count(what: str, things: Sized, limit: int) -> None:
    """Refuse more things than the limit.

    Raises `TooMany`.
    """
    if len(things) > limit:
        raise TooMany(what, len(things), limit)


def require_attachments(attachments: tuple[Attachment, ...]) -> None:
    """Refuse too many attachments, or names no mail could carry."""
    require_count("attachments", attachments, ATTACHMENTS)
    for file in attachments:
        require_lines("attachment's name", (file.filename, file.content_type, file.content_id or ""))


def require_addresses(addresses: tuple[Address, ...]) -> None:
    """Refuse too many addresses, or such as no mail could carry."""
    require_count("recipients", addresses, RECIPIENTS)
    for address in addresses:
        require_lines("address", (address.address, address.name))


def require_commit_size(facts: Iterable[TicketFact]) -> None:
    """Refuse facts that would not fit in one message of the log."""
    size = sum(len(fact.model_dump_json().encode()) for fact in facts)
    if size > COMMIT_SIZE:
        raise TooLarge("change", size, COMMIT_SIZE)
