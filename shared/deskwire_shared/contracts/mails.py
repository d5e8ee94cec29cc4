"""What a mail told besides its words: who vouches for its sender, how it is protected, what its files are."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Protection = Literal["smime_signed", "smime_opaque", "smime_encrypted", "pgp_signed", "pgp_encrypted"]
"""How a mail is signed or encrypted; `smime_opaque` is signed in a form in which its words cannot be read."""
SenderVerdict = Literal["verified", "failed", "unverified"]
InvitationMethod = Literal["request", "cancel", "reply", "other"]


class Told(BaseModel):
    """A value that was read from a mail."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Authentication(Told):
    """What a trusted relay found out about the sender (RFC 8601); `domain` is the one of the author's address.

    The results are the words of the relay: `pass`, `fail`, `none` …; empty where it tells none.
    """

    relay: str
    sender: SenderVerdict
    domain: str = ""
    spf: str = ""
    dkim: str = ""
    dmarc: str = ""


class Invitation(Told):
    """What a calendar file asks for; its times are those of its own zone, without one where that is unknown."""

    method: InvitationMethod
    summary: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    all_day: bool = False
    time_zone: str = ""
    repeats: bool = False
    location: str = ""
    organiser: str = ""
    answer: str = ""
    """Who answered how, in a reply."""


class EnclosedMail(Told):
    """The head of a mail that came as a file."""

    subject: str = ""
    author: str = ""
    sent_at: datetime | None = None
