"""What is worth knowing of a mail besides its words, as its page shows it: marks with words, and cards."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.contracts.mails import Authentication, EnclosedMail, Invitation, Protection

INVITATIONS: Final = {"request": "Invitation", "cancel": "Cancelled", "reply": "Answer", "other": "Calendar entry"}
UNREADABLE: Final[dict[Protection, str]] = {
    "smime_encrypted": "This mail is encrypted (S/MIME) and cannot be read here.",
    "pgp_encrypted": "This mail is encrypted (PGP) and cannot be read here.",
    "smime_opaque": "This mail is signed (S/MIME) in a form that cannot be read here.",
}
SIGNED: Final[dict[Protection, str]] = {"smime_signed": "Signed (S/MIME)", "pgp_signed": "Signed (PGP)"}


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A mark on a message: `tone` is good, bad or plain."""

    tone: str
    icon: str
    words: str
    explained: str


@dataclass(frozen=True, kw_only=True)
class InvitationCard:
    """An invitation, in words; `index` is the place of its file."""

    index: int
    kind: str
    title: str
    when: str
    place: str
    organiser: str
    answer: str
    cancelled: bool


def sender_mark(told: Authentication | None) -> Mark | None:
    """Say what a trusted relay found out about the sender, when it is worth a word."""
    if told is None or told.sender == "unverified":
        return None
    results = ", ".join(f"{name} {value}" for name, value in _results(told) if value)
    if told.sender == "verified":
        return Mark(
            tone="good",
            icon="check",
            words="Sender verified",
            explained=f"{told.relay} says that {told.domain} sent this: {results}",
        )
    explained = f"{told.relay} says that this need not be from {told.domain or 'its sender'}: {results}"
    return Mark(tone="bad", icon="mail-warning", words="Failed DMARC", explained=explained)


def _results(told: Authentication) -> tuple[tuple[str, str], ...]:
    return ("SPF", told.spf), ("DKIM", told.dkim), ("DMARC", told.dmarc)


def signature_mark(protection: Protection | None) -> Mark | None:
    """Say that a mail is signed."""
    if protection not in SIGNED:
        return None
    explained = "The signature was recognised, and not verified"
    return Mark(tone="plain", icon="lock", words=f"{SIGNED[protection]}, not verified", explained=explained)


def unreadable(protection: Protection | None) -> str:
    """Say why the words of a mail cannot be read; nothing when they can."""
    return UNREADABLE.get(protection, "") if protection is not None else ""


def invitation_cards(files: Iterable[Attachment]) -> tuple[InvitationCard, ...]:
    """Lay the invitations of a message out, each once: many programs send them twice."""
    cards: dict[Invitation, InvitationCard] = {}
    for index, file in enumerate(files):
        if file.invitation is not None and file.infected is None:
            cards.setdefault(file.invitation, _card(index, file.invitation))
    return tuple(cards.values())


def _card(index: int, invitation: Invitation) -> InvitationCard:
    return InvitationCard(
        index=index,
        kind=INVITATIONS[invitation.method],
        title=invitation.summary or "(no title)",
        when=when(invitation),
        place=invitation.location,
        organiser=invitation.organiser,
        answer=invitation.answer,
        cancelled=invitation.method == "cancel",
    )


def when(invitation: Invitation) -> str:
    """Say when it is, in the time of its own zone."""
    start, end = invitation.starts_at, invitation.ends_at
    if start is None:
        return ""
    said = _days(start, end) if invitation.all_day else _hours(start, end)
    zone = invitation.time_zone or ("" if start.tzinfo is None else f"{start:%z}")
    said += f" ({zone})" if zone and not invitation.all_day else ""
    return f"{said}, and again later" if invitation.repeats else said


def _days(start: datetime, end: datetime | None) -> str:
    return _day(start) if end is None or end.date() <= start.date() else f"{_day(start)} to {_day(end)}"


def _hours(start: datetime, end: datetime | None) -> str:
    if end is None:
        return f"{_day(start)}, {start:%H:%M}"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{_day(end)}, {end:%H:%M}"
    return f"{_day(start)}, {start:%H:%M} to {until}"


def _day(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %Y}"


def enclosed_words(mail: EnclosedMail) -> str:
    """Say who wrote a mail that came as a file, and when."""
    parts = (mail.author, "" if mail.sent_at is None else _day(mail.sent_at))
    return ", ".join(part for part in parts if part)
