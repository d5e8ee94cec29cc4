"""Who wrote a mail that came as a file, when, and about what."""

from deskwire_intake.mail.addresses import read_addresses
from deskwire_intake.mail.headers import decode_words, one_line, read_headers
from deskwire_intake.mail.identifiers import read_date
from deskwire_shared.contracts.mails import EnclosedMail

MAX_LINE = 300


def read_enclosed(content: bytes) -> EnclosedMail:
    """Read the head of a nested mail; what is broken in it is left out."""
    headers, _ = read_headers(content, 0, len(content), set())
    authors = read_addresses(headers.joined("from"), set())
    author = f"{authors[0].name} <{authors[0].address}>" if authors else ""
    return EnclosedMail(
        subject=one_line(decode_words(headers.first("subject")[: 4 * MAX_LINE]), MAX_LINE),
        author=one_line(author, MAX_LINE),
        sent_at=read_date(headers.first("date"), set()),
    )
