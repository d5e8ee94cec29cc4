"""Ids: 80 bits as 16 lower-case base32 characters, short because every subject costs server memory."""

import base64
import hashlib
import hmac
import secrets

ID_BYTES = 10


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
    return base64.b32encode(raw).decode().lower()
