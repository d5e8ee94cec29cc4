"""The files in `winmail.dat`, in which Outlook packs what it attaches; needs the extra `tnef`."""

import hashlib
from importlib.util import find_spec
from typing import Final

from deskwire_intake.mail.bodies import safe_name
from deskwire_intake.mail.parsed import Attachment

MAX_FILES = 100
KEPT_PACKED: Final = "winmail.dat kept packed: the extra deskwire-intake[tnef] is not installed"


def can_unpack() -> bool:
    """Tell whether the library for it is installed."""
    return find_spec("tnefparse") is not None


def files_in(content: bytes) -> tuple[Attachment, ...]:
    """Give the files in a TNEF stream. Raises what the library cannot bear."""
    from tnefparse.tnef import TNEF  # noqa: PLC0415  # an extra, and slow to load

    packed = TNEF(content, do_checksum=False).attachments[:MAX_FILES]  # type: ignore[no-untyped-call]
    return tuple(_file(number, one.long_filename(), bytes(one.data)) for number, one in enumerate(packed, 1))


def _file(number: int, name: object, content: bytes) -> Attachment:
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name or "")
    return Attachment(
        filename=safe_name(text) or f"attachment-{number}.bin",
        content_type="application/octet-stream",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content_id=None,
        inline=False,
        content=content,
    )
