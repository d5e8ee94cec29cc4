"""How a mail is signed or encrypted: recognised, neither opened nor verified."""

import re
from typing import Final

from deskwire_intake.mail.tree import Part
from deskwire_shared.contracts.mails import Protection

_PKCS7_MIME: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_PKCS7_SIGNATURES: Final = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_ARMOUR: Final = re.compile(r"^-----BEGIN PGP (SIGNED )?MESSAGE-----\s*$", re.MULTILINE)
_P7M: Final = ".p7m"


def read_protection(root: Part, text: str) -> Protection | None:
    """Tell how a mail is protected; what is encrypted counts more than what is signed."""
    found = {protection for part in _parts(root) if (protection := _of_part(part))}
    armour = _ARMOUR.search(text)
    if armour:
        found.add("pgp_signed" if armour[1] else "pgp_encrypted")
    return next((one for one in _STRONGEST_FIRST if one in found), None)


_STRONGEST_FIRST: Final[tuple[Protection, ...]] = (
    "smime_encrypted", "pgp_encrypted", "smime_opaque", "smime_signed", "pgp_signed",
)  # fmt: skip


def _parts(part: Part) -> list[Part]:
    return [part, *(below for child in part.children for below in _parts(child))]


def _of_part(part: Part) -> Protection | None:
    """Tell how a part is protected; a nested mail is a file, and no matter of this one."""
    protocol = part.parameters.get("protocol", "").strip().lower()
    match part.content_type:
        case "multipart/encrypted":
            return "pgp_encrypted"
        case "multipart/signed":
            return "pgp_signed" if protocol == "application/pgp-signature" else "smime_signed"
        case kind if kind in _PKCS7_MIME or _is_named_p7m(part):
            return "smime_opaque" if _smime_type(part) == "signed-data" else "smime_encrypted"
        case kind if kind in _PKCS7_SIGNATURES:
            return "smime_signed"
        case _:
            return None


def _smime_type(part: Part) -> str:
    return part.parameters.get("smime-type", "").strip().lower()


def _is_named_p7m(part: Part) -> bool:
    """Tell whether a program without a word for it sent `smime.p7m`."""
    name = part.parameters.get("name", "").strip().lower()
    return part.content_type == "application/octet-stream" and name.endswith(_P7M)
