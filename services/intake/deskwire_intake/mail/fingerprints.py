"""What makes two deliveries the same mail."""

import hashlib

from deskwire_intake.mail.headers import Headers
from deskwire_intake.mail.parsed import ParsedMail

_AUTHORED_FIELDS = ("message-id", "from", "to", "cc", "date", "subject")


def fingerprint(mailbox: str, mail: ParsedMail) -> str:
    """Name one mail in one mailbox for ever, so that a repeated delivery meets its own trace.

    The Message-ID alone would let a careless or hostile sender hide one mail behind another, so the content
    counts too. What differs between two deliveries does not: `Received`, `Delivered-To`, `Return-Path` and
    other trace fields, the folding of fields, CRLF against LF, and line breaks at the end.
    """
    return _digest(mailbox.strip().lower().encode(), (mail.message_id or "").encode(), mail.content_digest.encode())


def digest_of_content(headers: Headers, body: bytes) -> str:
    """Digest what the author wrote: who, to whom, when, about what, and the body's bytes."""
    fields = [b" ".join(b",".join(headers.raw(name)).split()) for name in _AUTHORED_FIELDS]
    return _digest(*fields, body.replace(b"\r\n", b"\n").rstrip(b"\n"))


def _digest(*values: bytes) -> str:
    digest = hashlib.sha256()
    for value in values:  # each with its length, so that no value can pose as two
        digest.update(b"%d:" % len(value))
        digest.update(value)
    return digest.hexdigest()
