"""The ledger of intake: every message that came, by which way, what became of it, and where it is.

It names nobody: people and their words stand in the message as it was kept, and on its ticket.
"""

import hashlib
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel

Via = Literal["smtp", "lmtp", "imap", "web", "chat", "webhook", "phone", "replay"]
"""How a message came; `phone` is a call an agent told of, `replay` a second look at a message that was parked."""
Decision = Literal["opened", "followed_up", "replied", "noted", "repeated", "parked", "refused", "ignored"]
"""What became of it. `followed_up`: it opened the successor of a closed ticket; `noted`: it tells of an earlier
message, or is a call about a ticket that is there. What was `refused` or `ignored` is on no ticket, and whoever sent it
was told so."""

MOST_ENTRIES: Final = 256
"""Entries in one page."""
LONGEST_REASON: Final = 300
DIGEST_LETTERS: Final = 32


class LedgerEntry(BaseModel, frozen=True):
    """A message at one of the places it was sent to, and what became of it."""

    at: AwareDatetime
    via: Via
    channel_id: str | None = None
    mailbox: str = ""
    """The address of the desk, for mail."""
    source: str
    """What it is called where it came from: `<UIDVALIDITY>:<UID>` in a mailbox, the receipt of a listener's 250."""
    raw_key: str | None = None
    """Where it is kept as it came."""
    size: int = 0
    content_digest: str = ""
    message_digest: str | None = None
    """See `message_digest`."""
    decision: Decision
    ticket_id: str | None = None
    number: int | None = None
    parked: int | None = None
    """Its number among what is parked."""
    reason: str = ""


class LedgerPage(BaseModel, frozen=True):
    """Entries that were written together, as they stand in the stream."""

    entries: tuple[LedgerEntry, ...]


def message_digest(message_id: str) -> str:
    """What a Message-ID is found by: most are unguessable, and those that name a sender do not show it."""
    return hashlib.sha256(message_id.strip().strip("<>").encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LETTERS]
