"""What lies deeper in a mail's files: invitations and `winmail.dat`, read by libraries that may take their time."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from deskwire_intake.mail.parsed import Attachment, ParsedMail
from deskwire_intake.mail.tnef import KEPT_PACKED, can_unpack, files_in

MAX_INVITATIONS = 10
MAX_PACKED = 3

_CALENDARS: Final = frozenset({"text/calendar", "application/ics"})
_TNEF: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})


def is_packed(mail: ParsedMail) -> bool:
    """Tell whether a mail has files that `unpacked` looks into."""
    return any(_is_calendar(file) or _is_tnef(file) for file in mail.attachments)


def unpacked(mail: ParsedMail) -> ParsedMail:
    """Look into a mail's files; what cannot be read stays the file it is."""
    if not is_packed(mail):
        return mail
    defects = set(mail.defects)
    with_invitations = tuple(_with_invitations(mail.attachments, defects))
    files = tuple(_with_contents(with_invitations, defects))
    return replace(mail, attachments=files, defects=tuple(sorted(defects)))


def _with_invitations(files: tuple[Attachment, ...], defects: set[str]) -> Iterator[Attachment]:
    left = MAX_INVITATIONS
    for file in files:
        if left and _is_calendar(file):
            left -= 1
            yield _with_invitation(file, defects)
        else:
            yield file


def _with_invitation(file: Attachment, defects: set[str]) -> Attachment:
    from deskwire_intake.mail.invitations import read_invitation  # noqa: PLC0415  # slow to load, and seldom needed

    try:
        return replace(file, invitation=read_invitation(file.content))
    except Exception as error:  # noqa: BLE001  # code of others: told as a defect, and the file is kept
        defects.add(f"calendar reader failed: {type(error).__name__}")
        return file


def _with_contents(files: tuple[Attachment, ...], defects: set[str]) -> Iterator[Attachment]:
    left = MAX_PACKED
    for file in files:
        yield file
        if left and _is_tnef(file):
            left -= 1
            yield from _contents(file, defects)


def _contents(file: Attachment, defects: set[str]) -> tuple[Attachment, ...]:
    if not can_unpack():
        defects.add(KEPT_PACKED)
        return ()
    try:
        return files_in(file.content)
    except Exception as error:  # noqa: BLE001  # code of others: told as a defect, and the file is kept
        defects.add(f"winmail.dat reader failed: {type(error).__name__}")
        return ()


def _is_calendar(file: Attachment) -> bool:
    return file.content_type in _CALENDARS


def _is_tnef(file: Attachment) -> bool:
    return file.content_type in _TNEF or file.filename.lower() == "winmail.dat"
