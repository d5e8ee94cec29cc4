"""Mail as bytes in, mail as frozen data out."""

from deskwire_intake.mail.fingerprints import fingerprint
from deskwire_intake.mail.json_view import detailed_json_view, json_view
from deskwire_intake.mail.parsed import Address, Attachment, Bounce, Machine, ParsedMail
from deskwire_intake.mail.parsing import parse_mail
from deskwire_intake.mail.unpacking import is_packed, unpacked

__all__ = [
    "Address",
    "Attachment",
    "Bounce",
    "Machine",
    "ParsedMail",
    "detailed_json_view",
    "fingerprint",
    "is_packed",
    "json_view",
    "parse_mail",
    "unpacked",
]
