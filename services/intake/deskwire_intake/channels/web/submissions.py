"""Reads a form that was sent, within limits on time, size and number; its files go to the object store one by one."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from deskwire_intake.channels.port import InboundMessage
from deskwire_intake.channels.visitor_tokens import VisitorToken
from deskwire_intake.channels.web.answers import Answers
from deskwire_intake.matching import TicketToken
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.facts import Address, Attachment
from deskwire_shared.contracts.ids import derived_id

WEB: Final = "web"
TRAP: Final = "website"
"""A field that people do not see; programs that fill in everything do."""
MOST_FIELDS: Final = 60
MOST_FILES: Final = 50
"""More are not even received; a form takes far fewer, and says so."""
FIELD_BYTES: Final = 128 * 1024
QUICKEST: Final = timedelta(seconds=2)
OLDEST: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it was sent."""

    texts: dict[str, str]
    files: tuple[UploadFile, ...]

    @property
    def is_trapped(self) -> bool:
        """Whether a program has filled it in."""
        return bool(self.texts.get(TRAP))

    @property
    def file_bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size or 0 for file in self.files)


@asynccontextmanager
async def submission(request: Request, *, seconds: float) -> AsyncIterator[Submission]:
    """Read a form; beyond a megabyte, files wait on disk. Raises HTTPException or TimeoutError."""
    async with asyncio.timeout(seconds):
        form = await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=FIELD_BYTES)
    try:
        yield _submission(form)
    finally:
        await form.close()


def _submission(form: FormData) -> Submission:
    entries = form.multi_items()
    chosen = (value for key, value in entries if key == "files" and isinstance(value, UploadFile))
    return Submission(
        texts={key: value for key, value in entries if isinstance(value, str)},
        files=tuple(file for file in chosen if file.filename or file.size),
    )


def age_problem(token: VisitorToken, now: datetime) -> str | None:
    """Which word says that nobody fills in a form in that time; None when somebody may."""
    age = now - token.issued_at
    if age < QUICKEST:
        return "too_quick"
    return "too_old" if age > OLDEST else None


def inbound_message(
    answers: Answers, files: Sequence[Attachment], *, channel_id: str, channel: Channel, token: VisitorToken
) -> InboundMessage:
    """Turn a form into what its author said.

    The token names the ticket: the same form sent twice is one message, and other words sent with the token of a
    form that has arrived already are a reply on its ticket.
    """
    digest = _digest(answers, files)
    ticket_id = derived_id("form", channel_id, token.id)
    return InboundMessage(
        medium=WEB,
        mailbox=channel_id,
        channel_id=channel_id,
        follow_up_days=channel.follow_up_days,
        fingerprint=derived_id("form", channel_id, token.id, digest),
        content_digest=digest,
        thread_key=None,
        raw_key=None,
        author=Address(address=answers.address, name=answers.name),
        subject=answers.subject,
        text=answers.message,
        new_text=answers.message,
        kept_files=tuple(files),
        fields=answers.fields,
        ticket_id=ticket_id,
        candidates=(TicketToken(ticket_id),),
    )


def _digest(answers: Answers, files: Iterable[Attachment]) -> str:
    said = [answers.name, answers.address, answers.subject, answers.message, dict(answers.fields)]
    content = [said, [[file.filename, file.sha256] for file in files]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
