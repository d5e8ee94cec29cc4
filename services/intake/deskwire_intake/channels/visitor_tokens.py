"""Signed tokens that a visitor's browser keeps: one for each form that is shown, one for each chat.

They name what they belong to without being stored here, and nobody else can make one.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from deskwire_shared.contracts.ids import new_id

Purpose = Literal["form", "chat"]

SIGNATURE_LENGTH: Final = 26  # base32 characters, 130 bits
LONGEST: Final = 64

_TOKEN = re.compile(rf"([a-z2-7]{{16}})\.([0-9]{{1,12}})\.([a-z2-7]{{{SIGNATURE_LENGTH}}})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class VisitorToken:
    """What a token says: an id of its own, and when it was given out."""

    id: str
    issued_at: datetime


def new_token(purpose: Purpose, channel_id: str, at: datetime, key: bytes) -> str:
    """Write a token for a new form or chat; `key` is the site's."""
    token_id, issued = new_id(), str(int(at.timestamp()))
    return f"{token_id}.{issued}.{_signature(purpose, channel_id, token_id, issued, key=key)}"


def read_token(token: str, purpose: Purpose, channel_id: str, key: bytes) -> VisitorToken | None:
    """Read a token; one that is forged, or was given out for something else, says nothing."""
    parts = _TOKEN.match(token)
    if parts is None:
        return None
    token_id, issued, signature = parts.groups()
    expected = _signature(purpose, channel_id, token_id, issued, key=key)
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    return VisitorToken(token_id, datetime.fromtimestamp(int(issued), UTC))


def sign(*signed: str, key: bytes) -> str:
    """Sign some words, so that whoever brings them back proves that we gave them out."""
    return _signature("words", *signed, key=key)


def is_signed(signature: str, *signed: str, key: bytes) -> bool:
    """Whether we signed these words."""
    return hmac.compare_digest(signature.encode("utf-8", "replace"), sign(*signed, key=key).encode())


def _signature(*signed: str, key: bytes) -> str:
    digest = hmac.digest(key, "\x1f".join(("visitor", *signed)).encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().lower()[:SIGNATURE_LENGTH]
