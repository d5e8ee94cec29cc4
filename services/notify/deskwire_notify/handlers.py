"""What notify does when it hears of a ticket: it looks at what is owed to the customer and carries it out."""

from dataclasses import dataclass, replace
from datetime import timedelta

from structlog import get_logger

from deskwire_notify.channels.chat import ChatSender
from deskwire_notify.channels.webhook import WebhookWriter
from deskwire_notify.deliveries import Deliveries
from deskwire_notify.errands import AcknowledgementErrand, Errand, ReplyErrand, ReplyWriter
from deskwire_notify.figures import Figures
from deskwire_notify.hearing import history_of, server_ahead
from deskwire_notify.mails.writing import Writer
from deskwire_notify.quota import WINDOW, Quotas
from deskwire_notify.recording import caused_by, commit_of_reply
from deskwire_notify.retries import Patience
from deskwire_notify.rules import (
    Acknowledge,
    Withhold,
    acknowledgement,
    acknowledgement_mail_id,
    conversation_to_answer,
    held_replies,
    replies_to_send,
    reply_mail_id,
    way_out,
)
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.directory import Customer
from deskwire_shared.directory.port import Directory
from deskwire_shared.eventstore.port import EventStore, History
from deskwire_shared.eventstore.recorder import Recorder
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.process_manager import Heard
from deskwire_shared.runtime.timers import Timers
from deskwire_shared.ticket.commands import RecordAcknowledgement, RecordBounce
from deskwire_shared.ticket.decider import fold
from deskwire_shared.ticket.state import Message, Ticket

ACKNOWLEDGEMENT_GIVE_UP = timedelta(hours=12)

log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """What the handlers need."""

    store: EventStore
    recorder: Recorder
    directory: Directory
    deliveries: Deliveries
    writer: Writer
    webhook: WebhookWriter
    chat: ChatSender
    quotas: Quotas
    timers: Timers
    clock: Clock
    figures: Figures
    patience: Patience


async def on_ticket(heard: Heard, *, outgoing: Outgoing) -> None:
    """Send what a ticket owes its customer, and set timers for what has to wait."""
    history = await history_of(heard, outgoing.store)
    ticket = fold(heard.ticket_id, history.commits)
    if not ticket.exists:
        return
    now = outgoing.clock.now()
    looks = {reply_mail_id(ticket.id, message): at for message, at in held_replies(ticket, now)}
    carried = await outgoing.chat.carry(ticket, history, replies_to_send(ticket, now))
    looks.update(carried.looks)
    for errand in await _errands(ticket, history, carried.left, outgoing):
        next_look = await outgoing.deliveries.carry(ticket.id, errand)
        if next_look is not None:
            looks[errand.mail_id] = next_look
    for mail_id, at in looks.items():
        await outgoing.timers.set(ticket.id, mail_id, at + server_ahead(heard, now))


async def _errands(ticket: Ticket, history: History, replies: tuple[Message, ...], outgoing: Outgoing) -> list[Errand]:
    errands: list[Errand] = []
    if await _is_to_be_acknowledged(ticket, history, outgoing):
        errands.append(
            AcknowledgementErrand(
                ticket_id=ticket.id,
                writer=outgoing.writer,
                patience=outgoing.patience.at_most(ACKNOWLEDGEMENT_GIVE_UP),
            )
        )
    errands += [
        ReplyErrand(
            message_id=message.id,
            mail_id=reply_mail_id(ticket.id, message),
            writer=_writer_of(message, ticket, outgoing),
            patience=outgoing.patience,
        )
        for message in replies
        if not await _is_withheld(message, ticket, history, outgoing)
    ]
    return errands


async def _is_withheld(reply: Message, ticket: Ticket, history: History, outgoing: Outgoing) -> bool:
    """Whether an automatic reply must not leave; one that is still tried after an hour was counted at first."""
    now = outgoing.clock.now()
    if not reply.automated or now - reply.at >= WINDOW:
        return False
    mail_id = reply_mail_id(ticket.id, reply)
    reason = await outgoing.quotas.against_sending(ticket, mail_id, now)
    if not reason:
        return False
    command = RecordBounce(message_id=reply.id, reason=f"it was not sent: {reason}")
    cause = caused_by(commit_of_reply(history, reply.id), mail_id, "withheld", now)
    await outgoing.recorder.record(ticket.id, command, cause)
    outgoing.figures.replies_withheld.inc()
    log.warning("automatic reply withheld", mail_id=mail_id, reason=reason)
    return True


def _writer_of(reply: Message, ticket: Ticket, outgoing: Outgoing) -> ReplyWriter:
    """Who writes a reply down, for the way it leaves by."""
    if way_out(ticket, reply, outgoing.directory.all(Channel)) == "email":
        return outgoing.writer
    said = conversation_to_answer(ticket, reply)
    return replace(outgoing.webhook, name=said.channel) if said else outgoing.webhook


async def _is_to_be_acknowledged(ticket: Ticket, history: History, outgoing: Outgoing) -> bool:
    if ticket.acknowledged:
        return False
    now = outgoing.clock.now()
    decision = acknowledgement(
        ticket,
        opened_by=history.commits[0].actor,
        channel=outgoing.directory.get(Channel, ticket.channel_id or ""),
        requester=await outgoing.directory.fetch(Customer, ticket.requester_id),
        mailboxes=outgoing.writer.mailboxes(),
        now=now,
    )
    match decision:
        case None:
            return False
        case Withhold(reason=reason):
            await _withhold(ticket, history, reason, outgoing)
            return False
        case Acknowledge():
            mail_id = acknowledgement_mail_id(ticket.id)
            reason = await outgoing.quotas.against_acknowledging(ticket, mail_id, now)
            if reason:
                await _withhold(ticket, history, reason, outgoing)
            return not reason


async def _withhold(ticket: Ticket, history: History, reason: str, outgoing: Outgoing) -> None:
    mail_id = acknowledgement_mail_id(ticket.id)
    command = RecordAcknowledgement(message_id=mail_id, template_id="", outcome="suppressed", reason=reason)
    cause = caused_by(history.commits[0], mail_id, "withheld", outgoing.clock.now())
    await outgoing.recorder.record(ticket.id, command, cause)
    outgoing.figures.withheld.inc()
    log.info("acknowledgement withheld", mail_id=mail_id, reason=reason)
