"""Mail as bytes in, mail as frozen data out."""

from deskwire_intake.mail.fingerprints import fingerprint
from deskwire_intake.mail.json_view import json_view
from deskwire_intake.mail.parsed import Address, Attachment, Bounce, Machine, ParsedMail
from deskwire_intake.mail.parsing import parse_mail

__all__ = [
    "Address",
    "Attachment",
    "Bounce",
    "Machine",
    "ParsedMail",
    "fingerprint",
    "json_view",
    "parse_mail",
]
