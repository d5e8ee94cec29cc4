"""Tokens in our own mails that lead an answer back to its ticket without any lookup.

A token proves that we once sent it: it is signed with the site's key. Intake reads what notify writes.
"""

import base64
import hashlib
import hmac
import re

REPLY_DELIMITER = "-- reply above this line --"
LOOP_HEADER = "X-Deskwire-Loop"

SIGNATURE_LENGTH = 10  # base32 characters, 50 bits: a guess must be sent as a mail

_TICKET_ADDRESS = re.compile(r"[^@\s]*\+t([a-z2-7]{16})\.([a-z2-7]{10})@[^@\s]+\Z", re.ASCII | re.IGNORECASE)
_OWN_MESSAGE_ID = re.compile(r"([a-z2-7]{16})\.([a-z2-7]{16})\.([a-z2-7]{10})@[^@\s]+\Z", re.ASCII | re.IGNORECASE)


def reply_address(mailbox: str, ticket_id: str, key: bytes) -> str:
    """Write the address at which answers to a ticket arrive."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+t{ticket_id}.{_signature(key, ticket_id)}@{domain}"


def without_detail(address: str) -> str:
    """Read `support+anything@example.com` as `support@example.com` (RFC 5233)."""
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def ticket_of(address: str, key: bytes) -> str | None:
    """Read the ticket from one of our reply addresses; a forged or foreign address names none."""
    token = _TICKET_ADDRESS.match(address)
    if token is None:
        return None
    ticket_id, signature = token[1].lower(), token[2].lower()
    return ticket_id if _same(signature, _signature(key, ticket_id)) else None


def message_id_for(reply_id: str, ticket_id: str, key: bytes, domain: str) -> str:
    """Write the Message-ID of a mail of ours, without angle brackets."""
    return f"{reply_id}.{ticket_id}.{_signature(key, f'{reply_id}.{ticket_id}')}@{domain}"


def ticket_of_message_id(message_id: str, key: bytes) -> str | None:
    """Read the ticket from the Message-ID of a mail of ours; a forged or foreign one names none."""
    token = _OWN_MESSAGE_ID.match(message_id)
    if token is None:
        return None
    reply_id, ticket_id, signature = (part.lower() for part in token.groups())
    return ticket_id if _same(signature, _signature(key, f"{reply_id}.{ticket_id}")) else None


def reply_of_message_id(message_id: str, key: bytes) -> str | None:
    """Read which reply a mail of ours carried from its Message-ID; a forged or foreign one names none."""
    return None if ticket_of_message_id(message_id, key) is None else message_id.partition(".")[0].lower()


def loop_token(key: bytes) -> str:
    """Write the value of our loop header: two desks that write to each other must tell theirs apart."""
    return _signature(key, "loop")


def is_loop_token(value: str, key: bytes) -> bool:
    """Tell whether a loop header is ours."""
    return _same(value.strip().lower(), loop_token(key))


def _signature(key: bytes, signed: str) -> str:
    digest = hmac.digest(key, signed.encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().lower()[:SIGNATURE_LENGTH]


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
