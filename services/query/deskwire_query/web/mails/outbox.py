"""The local outbox: what left the desk while no mail server is configured, as its readers would see it."""

import email
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Path, Request
from starlette.responses import HTMLResponse, Response

from deskwire_query.web.access import Reader
from deskwire_query.web.desk import Desk, TheDesk
from deskwire_query.web.mails.cleaning import harmless_or_text
from deskwire_query.web.rendering import environment, page
from deskwire_query.web.ticket.pages import MAIL_POLICY
from deskwire_shared.runtime.outbox import UnknownMail, list_outbox, read_outbox

HEADERS: Final = ("From", "To", "Cc", "Reply-To", "Date", "Subject", "Message-ID", "In-Reply-To", "Auto-Submitted")

router = APIRouter()

MailId = Annotated[str, Path(max_length=40)]


@dataclass(frozen=True, kw_only=True)
class ShownMail:
    """A mail of the outbox, taken apart."""

    id: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str | None
    files: tuple[str, ...]


@router.get("/outbox")
async def outbox(request: Request, desk: TheDesk, principal: Reader) -> Response:
    """List the mails of the outbox."""
    mails = await list_outbox(desk.objects)
    context = {"me": principal, "now": desk.clock.now(), "mails": mails, "shown": None}
    return page(request, "outbox.html", context)


@router.get("/outbox/{mail_id}")
async def outbox_mail(request: Request, desk: TheDesk, principal: Reader, mail_id: MailId) -> Response:
    """Show one mail beside the list."""
    shown = await _read(desk, mail_id)
    mails = await list_outbox(desk.objects)
    context = {"me": principal, "now": desk.clock.now(), "mails": mails, "shown": shown}
    return page(request, "outbox.html", context)


@router.get("/outbox/{mail_id}/frame")
async def outbox_frame(desk: TheDesk, principal: Reader, mail_id: MailId) -> Response:
    """Show the HTML of a mail in a frame of its own."""
    del principal
    shown = await _read(desk, mail_id)
    mail = await harmless_or_text(shown.html or "", shown.text, inline={})
    body = environment().get_template("mail.html").render(mail=mail, images=False, address="")
    return HTMLResponse(body, headers={"Content-Security-Policy": MAIL_POLICY.format(files="", remote="")})


@router.get("/outbox/{mail_id}/source")
async def outbox_source(desk: TheDesk, principal: Reader, mail_id: MailId) -> Response:
    """Save the mail as it would have been sent."""
    del principal
    content = await _bytes(desk, mail_id)
    headers = {"Content-Disposition": f'attachment; filename="{mail_id}.eml"'}
    return Response(content, media_type="message/rfc822", headers=headers)


async def _bytes(desk: Desk, mail_id: str) -> bytes:
    try:
        return await read_outbox(desk.objects, mail_id)
    except UnknownMail as error:
        raise HTTPException(404, "The outbox holds no such mail.") from error


async def _read(desk: Desk, mail_id: str) -> ShownMail:
    mail = email.message_from_bytes(await _bytes(desk, mail_id), policy=default)
    assert isinstance(mail, EmailMessage)
    return ShownMail(
        id=mail_id,
        headers=tuple((name, str(value)) for name in HEADERS for value in mail.get_all(name, ())),
        text=_body(mail, "plain") or "",
        html=_body(mail, "html"),
        files=tuple(part.get_filename() or "file" for part in mail.iter_attachments()),
    )


def _body(mail: EmailMessage, kind: str) -> str | None:
    part = mail.get_body((kind,))
    return None if part is None else str(part.get_content())
