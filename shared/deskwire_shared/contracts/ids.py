"""Ids: 80 bits as 16 lower-case base32 characters, short because every subject costs server memory."""

import hashlib
import hmac
import secrets

ID_BYTES = 10
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]


def new_id() -> str:
    """A random id."""
    return _text(secrets.token_bytes(ID_BYTES))


def derived_id(*parts: str) -> str:
    """The id that always belongs to these parts; two processes derive the same one."""
    return _text(hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()[:ID_BYTES])


def person_id(address: str, site_key: bytes) -> str:
    """A customer's id: a keyed hash of the normalised address, so that no subject names a person."""
    normalised = address.strip().lower()
    return _text(hmac.digest(site_key, f"person\x1f{normalised}".encode("utf-8", "surrogatepass"), "sha256")[:ID_BYTES])


def _text(raw: bytes) -> str:
    """Base32 of RFC 4648 in lower case, ten bits at a time: `base64.b32encode` takes six times as long."""
    bits = int.from_bytes(raw, "big")
    return "".join([_PAIRS[bits >> shift & 0x3FF] for shift in range(70, -1, -10)])
