"""A mail as it was handed over, and as it is kept: with its envelope above its bytes, so that nothing else counts."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from deskwire_intake.mail.headers import read_headers
from deskwire_shared.contracts.intake_ledger import Via

_RECOGNISABLE = re.compile(rb"^(?:date|message-id)[ \t]*:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A mail as it was handed over: the envelope and the bytes."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    client: str = ""
    """Who handed it over, for the `Received` field."""
    via: Via = "smtp"
    source: str = ""
    """What it is called where it came from; see `LedgerEntry.source`."""


def raw_mail_key(delivery: Delivery) -> str:
    """Where a mail is kept as it came; the same delivery, sent again, is kept once."""
    digest = hashlib.sha256()
    for part in (delivery.sender, *delivery.recipients):
        digest.update(_wire(part) + b"\n")
    digest.update(delivery.content)
    name = digest.hexdigest()
    return f"raw/{name[:2]}/{name}"


def with_trace(delivery: Delivery, at: datetime) -> bytes:
    """Write the envelope above a mail, as the last server on its way does (RFC 5321, 4.4).

    So all that is known of a mail stands in its raw bytes, and it can be taken in again from them.
    """
    lines = [
        f"Return-Path: <{delivery.sender.strip('<>')}>",
        *(f"Delivered-To: {recipient}" for recipient in delivery.recipients),
        f"Received: from {delivery.client or 'unknown'} by deskwire; {format_datetime(at)}",
    ]
    return b"".join(_wire(line) + b"\r\n" for line in lines) + delivery.content


def dated(content: bytes, at: datetime) -> bytes:
    """Date a mail that carries neither Date nor Message-ID, as a server may that takes it in (RFC 6409, 8.1).

    Nothing else would tell the same alarm of today from that of yesterday, and the second would pass for a repeat.
    """
    header = content[: content.find(b"\r\n\r\n") + 1] or content
    if _RECOGNISABLE.search(header):
        return content
    return f"Date: {format_datetime(at)}\r\n".encode() + content


def delivery_of(raw: bytes) -> Delivery:
    """Read the envelope back from above a mail, where `with_trace` wrote it."""
    ours = raw.partition(b"\r\nReceived: ")[0]
    headers, _ = read_headers(ours, 0, len(ours), set())
    recipients = tuple(value.decode("utf-8", "surrogateescape") for value in headers.raw("delivered-to"))
    return Delivery(sender=headers.first("return-path").strip("<>"), recipients=recipients, content=raw, via="replay")


def _wire(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
