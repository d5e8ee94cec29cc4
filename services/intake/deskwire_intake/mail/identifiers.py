"""Message-IDs and dates from header values."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_REFERENCES = 100
MAX_MESSAGE_ID = 998  # the longest line that RFC 5322 allows
MAX_DATE = 200

_BRACKETED = re.compile(r"<\s*([^<>\s]+)\s*>")


def message_ids(value: str) -> tuple[str, ...]:
    """Read the ids of a header value without their angle brackets, each once; of many, the last."""
    found = _BRACKETED.findall(value) or [word for word in value.split() if "@" in word]
    short = (message_id for message_id in found if len(message_id) <= MAX_MESSAGE_ID)
    return tuple(dict.fromkeys(short))[-MAX_REFERENCES:]


def single_message_id(value: str) -> str | None:
    """Read a header value that holds one id; some programs write ids without brackets or without `@`."""
    ids = message_ids(value)
    if ids:
        return ids[0]
    bare = value.strip().strip("<>").strip()
    return bare if bare and len(bare) <= MAX_MESSAGE_ID and len(bare.split()) == 1 else None


def read_date(value: str, defects: set[str]) -> datetime | None:
    """Read a date header; a time without a zone is UTC (RFC 5322 `-0000`)."""
    if not value:
        return None
    try:
        date = parsedate_to_datetime(value[:MAX_DATE])
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        aware.astimezone(UTC)  # the year 1 in the far east has no UTC
    except (ValueError, TypeError, IndexError, OverflowError):
        defects.add("date malformed")
        return None
    return aware
