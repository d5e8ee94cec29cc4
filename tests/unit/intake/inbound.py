"""Mails to read: the stored ones, and builders for those that are too odd for a file."""

from pathlib import Path

from deskwire_intake.mail import ParsedMail, parse_mail

MAILS = Path(__file__).parent / "mails"


def stored_mail(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


def stored(name: str) -> ParsedMail:
    return parse_mail(stored_mail(name))


def a_mail(body: bytes = b"Hello\n", /, **fields: str | bytes) -> bytes:
    """Build a plain mail; `content_type="text/html"` sets the field Content-Type."""
    values: dict[str, str | bytes] = {
        "from": "Ann <ann@example.net>",
        "to": "support@example.com",
        "subject": "Printer",
        "date": "Mon, 23 Nov 2026 10:00:00 +0100",
        "message_id": "<a@example.net>",
        **{name.rstrip("_"): value for name, value in fields.items()},
    }
    lines = [
        name.replace("_", "-").encode() + b": " + (value if isinstance(value, bytes) else value.encode())
        for name, value in values.items()
    ]
    return b"\n".join(lines) + b"\n\n" + body


def a_text(body: bytes, charset: str | None = None, **fields: str | bytes) -> ParsedMail:
    content_type = f"text/plain; charset={charset}" if charset else "text/plain"
    return parse_mail(a_mail(body, content_type=content_type, **fields))


def nested(levels: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(levels)
    )
    return b"From: ann@example.net\n" + opened + b"Content-Type: text/plain\n\nthe core\n"
