"""What a mail of the desk says to whom: letters made of a ticket and a wording, without any I/O."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from deskwire_notify.mails.addresses import Recipients, addressees, recipients
from deskwire_notify.mails.header_lines import one_line
from deskwire_notify.mails.markup import html_of_text, page, sanitized
from deskwire_notify.mails.senders import Sender
from deskwire_notify.mails.threads import Thread, answered_message, answering_subject, bare_subject, thread_of
from deskwire_notify.mails.wording import PersonValues, QuotedValues, TicketValues, Wording, word
from deskwire_notify.rules import acknowledgement_mail_id, reply_mail_id
from deskwire_shared.contracts.directory import Customer, Template
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.contracts.staff import Agent
from deskwire_shared.contracts.threading_tokens import REPLY_DELIMITER
from deskwire_shared.ticket.markup import is_modest
from deskwire_shared.ticket.state import Message, Ticket

LONGEST_NAME: Final = 100
MOST_QUOTED_LINES: Final = 200
MOST_QUOTED: Final = 10_000

_LINK: Final = re.compile(r"://|www\.", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stationery:
    """What all mails of a ticket share: the mailbox they leave from, the desk's own mailboxes, its templates."""

    sender: Sender
    mailboxes: Collection[str]
    templates: Mapping[str, Template]


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A mail before it is written down."""

    mail_id: str
    ticket_id: str
    at: datetime
    sender: Sender
    recipients: Recipients
    subject: str
    text: str
    html: str
    thread: Thread
    attachments: tuple[Attachment, ...] = ()
    auto_submitted: Literal["auto-replied", "auto-generated"] | None = None
    """Set on what no human wrote (RFC 3834)."""
    wording: Wording


def reply_letter(
    ticket: Ticket, reply: Message, *, agent: Agent | None, customer: Customer | None, stationery: Stationery
) -> Letter:
    """Put an agent's reply in a letter, the customer's words it answers quoted below."""
    answered = answered_message(ticket, reply)
    locales = _locales(customer, stationery.sender)
    mark = f"[[{reply.id}]]"
    values = {
        **_values(ticket, stationery.sender),
        "agent": PersonValues(agent.name if agent else ""),
        "signature": _signature(agent, reply, stationery.sender),
        "answer": mark,
    }
    wording = word("reply", locales, values, stationery.templates, once=mark)
    above, _, below = wording.body.partition(mark)
    answer = sanitized(reply.html) if reply.html and is_modest(reply.html) else html_of_text(reply.text)
    introduction, quoted = _quote(answered, locales) if answered else ("", "")
    return Letter(
        mail_id=reply_mail_id(ticket.id, reply),
        ticket_id=ticket.id,
        at=reply.at,
        sender=stationery.sender,
        recipients=recipients(addressees(ticket, reply), reply.cc, stationery.mailboxes),
        subject=answering_subject(wording.subject, ticket.number),
        text=_text(f"{above}{reply.text.strip()}{below}", introduction, quoted),
        html=page(
            html_of_text(above) + answer + html_of_text(below),
            locale=wording.locale,
            introduction=introduction,
            quoted=quoted,
        ),
        thread=thread_of(answered),
        attachments=reply.attachments,
        auto_submitted="auto-generated" if reply.automated else None,
        wording=wording,
    )


def acknowledgement_letter(ticket: Ticket, *, customer: Customer | None, stationery: Stationery) -> Letter:
    """Tell the customer that the ticket exists.

    It quotes nothing: whoever forges a sender must not get the desk to carry their words.
    """
    values = _values(ticket, stationery.sender)
    wording = word("acknowledgement", _locales(customer, stationery.sender), values, stationery.templates)
    opening = ticket.messages[0]
    return Letter(
        mail_id=acknowledgement_mail_id(ticket.id),
        ticket_id=ticket.id,
        at=opening.at,
        sender=stationery.sender,
        recipients=recipients((ticket.requester,) if ticket.requester else (), (), stationery.mailboxes),
        subject=answering_subject(wording.subject, ticket.number),
        text=_text(wording.body),
        html=page(html_of_text(wording.body), locale=wording.locale),
        thread=thread_of(opening),
        auto_submitted="auto-replied",
        wording=wording,
    )


def _values(ticket: Ticket, sender: Sender) -> dict[str, object]:
    return {
        "ticket": TicketValues(ticket.number, bare_subject(ticket.subject, ticket.number)),
        "customer": PersonValues(_harmless_name(ticket.requester.name if ticket.requester else "")),
        "desk": PersonValues(sender.name or sender.address),
    }


def _harmless_name(name: str) -> str:
    """Leave out a name that advertises: our acknowledgement would carry it to a forged address."""
    line = one_line(name)[:LONGEST_NAME]
    return "" if _LINK.search(line) else line


def _locales(customer: Customer | None, sender: Sender) -> tuple[str, ...]:
    wished = (customer.locale,) if customer is not None and customer.locale else ()
    return (*wished, sender.locale)


def _signature(agent: Agent | None, reply: Message, sender: Sender) -> str:
    if agent is None or reply.automated:
        return sender.name
    return agent.signature.strip() or agent.name


def _quote(message: Message, locales: tuple[str, ...]) -> tuple[str, str]:
    """Give the line above a quote, and what is quoted, bounded."""
    quoted = "\n".join(message.text[:MOST_QUOTED].strip().splitlines()[:MOST_QUOTED_LINES])
    if not quoted:
        return "", ""
    name = one_line(message.address.name or message.address.address)[:LONGEST_NAME] if message.address else ""
    at = message.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return word("quote", locales, {"quoted": QuotedValues(at, name)}, {}).body.strip(), quoted


def _text(letter: str, introduction: str = "", quoted: str = "") -> str:
    parts = [REPLY_DELIMITER, letter.strip()]
    if quoted:
        marked = "\n".join(f"> {line}".rstrip() for line in quoted.splitlines())
        parts.append(f"{introduction}\n{marked}")
    return "\n\n".join(parts) + "\n"
