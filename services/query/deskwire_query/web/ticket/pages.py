"""One ticket: its head, its history, its customer, and the mails in it as their senders laid them out."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from deskwire_query.reading.read_models import LAST_VERSION, CustomerNotFound, CustomerView, TicketDetail, TimelineEntry
from deskwire_query.web.access import Reader
from deskwire_query.web.clocks import ClockWords, read_clock
from deskwire_query.web.desk import Desk, TheDesk
from deskwire_query.web.mails.cleaning import harmless_or_text
from deskwire_query.web.people import People
from deskwire_query.web.rendering import environment, page
from deskwire_query.web.ticket.attachments import attachment_address
from deskwire_query.web.ticket.timeline import Changes, Message, lay_out
from deskwire_shared.contracts.access import Principal

STEP: Final = 200
MOST_ENTRIES: Final = 2_000
LAST_TICKETS: Final = 6

MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'{files} data:{remote}; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class ShownTicket:
    """A ticket with all its page shows."""

    detail: TicketDetail
    timeline: tuple[Message | Changes, ...]
    customer: CustomerView | None
    clocks: tuple[ClockWords, ...]
    may_write: bool
    may_reply: bool
    may_note: bool
    may_assign: bool

    may_merge: bool

    @property
    def may(self) -> tuple[str, ...]:
        """What the agent may do, in words that scripts know."""
        wishes = ("write", "reply", "note", "assign", "merge")
        return tuple(wish for wish in wishes if getattr(self, f"may_{wish}"))

    @property
    def cut(self) -> bool:
        """Whether the history is longer than a page shows."""
        return len(self.timeline) >= MOST_ENTRIES


async def shown_ticket(desk: Desk, principal: Principal, number: str) -> ShownTicket:
    """Collect a ticket's page. Raises TicketNotFound."""
    detail = await desk.reads.ticket(number)
    entries, customer = await asyncio.gather(_history(desk, detail.id), _customer(desk, detail.requester_id))
    now = desk.clock.now()
    living = not detail.merged_into and detail.status != "closed"
    return ShownTicket(
        detail=detail,
        timeline=lay_out(entries, People(desk.directory)),
        customer=customer,
        clocks=tuple(read_clock(clock, now) for clock in detail.clocks),
        may_write=living and principal.may("tickets:write"),
        may_reply=living and principal.may("tickets:reply"),
        may_note=not detail.merged_into and principal.may("tickets:note"),
        may_assign=living and principal.may("tickets:assign"),
        may_merge=living and principal.may("tickets:merge"),
    )


async def _history(desk: Desk, ticket_id: str) -> list[TimelineEntry]:
    entries: list[TimelineEntry] = []
    while len(entries) < MOST_ENTRIES:
        after = entries[-1].version if entries else 0
        more = await desk.reads.timeline(ticket_id, after_version=after, limit=STEP)
        entries += more
        if len(more) < STEP:
            break
    return entries


async def _customer(desk: Desk, customer_id: str) -> CustomerView | None:
    try:
        return await desk.reads.customer(customer_id)
    except CustomerNotFound:  # a requester who is not in the read model yet
        return None


@router.get("/tickets/{number}/glance")
async def glance(request: Request, desk: TheDesk, principal: Reader, number: str) -> Response:
    """Show enough of a ticket to tell whether it is the right one."""
    del principal
    detail = await desk.reads.ticket(number)
    return page(request, "glance.html", {"detail": detail, "people": People(desk.directory), "now": desk.clock.now()})


@router.get("/customers/{customer_id}")
async def customer_tickets(desk: TheDesk, principal: Reader, customer_id: str) -> Response:
    """Show a customer's tickets as a search."""
    del principal
    customer = await desk.reads.customer(customer_id)
    return RedirectResponse(f"/?q={quote(f'from:{customer.address}')}", 303)


@router.get("/tickets/{ticket_id}/messages/{version}")
async def mail_frame(
    request: Request,
    desk: TheDesk,
    principal: Reader,
    ticket_id: str,
    version: Annotated[int, Path(ge=1, le=LAST_VERSION)],
    *,
    images: bool = False,
) -> Response:
    """Show a mail as its sender laid it out, made harmless; remote images only when an agent asks for them."""
    del principal
    entry = await message(desk, ticket_id, version)
    if entry.html is None or entry.redacted:
        raise HTTPException(404, "This message has no layout of its own.")
    inline = {
        file.content_id.strip("<>"): attachment_address(ticket_id, version, index, file)
        for index, file in enumerate(entry.attachments)
        if file.content_id
    }
    mail = await harmless_or_text(entry.html, entry.text, inline=inline, remote_images=images)
    address = request.url.include_query_params(images=1)
    body = environment().get_template("mail.html").render(
        mail=mail, images=images, address=f"{address.path}?{address.query}"
    )  # fmt: skip
    policy = MAIL_POLICY.format(files=f" {desk.files.origin}".rstrip(), remote=" https: http:" if images else "")
    return HTMLResponse(body, headers={"Content-Security-Policy": policy})


async def message(desk: Desk, ticket_id: str, version: int) -> TimelineEntry:
    """Read one message of a ticket; a 404 where there is none."""
    found = await desk.reads.timeline(ticket_id, after_version=version - 1, limit=1)
    if not found or found[0].version != version or found[0].kind == "change":
        raise HTTPException(404, "There is no such message.")
    return found[0]
