"""What a mail says, as a message to the desk; pure."""

from collections.abc import Iterable
from typing import Final

from deskwire_intake.channels.email.mailboxes import Mailbox
from deskwire_intake.channels.email.trust import NOBODY, TrustedRelays
from deskwire_intake.channels.port import HasNoSender, InboundMessage, IncomingFile, UndeliveredReply
from deskwire_intake.fitting import fitted_line
from deskwire_intake.mail import Address as MailAddress
from deskwire_intake.mail import Attachment, ParsedMail, fingerprint
from deskwire_intake.matching import candidates, thread_root
from deskwire_shared.contracts.facts import Address, MachineKind
from deskwire_shared.contracts.threading_tokens import reply_of_message_id, ticket_of_message_id

EMAIL: Final = "email"


def inbound_message(
    mail: ParsedMail, box: Mailbox, raw_key: str, sender: str, key: bytes, *, trust: TrustedRelays = NOBODY
) -> InboundMessage:
    """Turn a mail into what its author said. Raises HasNoSender."""
    return InboundMessage(
        medium=EMAIL,
        mailbox=box.address,
        channel_id=box.channel_id,
        follow_up_days=box.follow_up_days,
        fingerprint=fingerprint(box.address, mail),
        content_digest=mail.content_digest,
        thread_key=mail.message_id,
        thread_root=None if _lies_in_no_thread(mail, trust) else thread_root(mail, key),
        raw_key=raw_key,
        author=_author(mail, sender),
        subject=mail.subject,
        text=mail.text,
        new_text=mail.reply_text,
        signature=mail.signature,
        html=mail.html,
        to=_people(mail.to),
        cc=_people(mail.cc),
        references=_references(mail),
        files=tuple(_file(one) for one in mail.attachments),
        machine=_machine(mail),
        spam=trust.calls_spam(mail),
        protection=mail.protection,
        authentication=trust.vouch(mail),
        undelivered=_undelivered(mail, key),
        candidates=candidates(mail, key),
    )


def _lies_in_no_thread(mail: ParsedMail, trust: TrustedRelays) -> bool:
    """Whether a mail must not stand for the thread it names: spam, a machine's, or of somebody who is another."""
    vouched = trust.vouch(mail)
    is_doubtful = vouched is not None and vouched.sender == "failed"
    return is_doubtful or trust.calls_spam(mail) or not mail.may_reopen


def _author(mail: ParsedMail, sender: str) -> Address:
    if mail.from_ is not None:
        return Address(address=mail.from_.address, name=fitted_line(mail.from_.name))
    if "@" in sender:
        return Address(address=sender)
    raise HasNoSender


def _people(addresses: Iterable[MailAddress]) -> tuple[Address, ...]:
    return tuple(Address(address=one.address, name=one.name) for one in addresses)


def _references(mail: ParsedMail) -> tuple[str, ...]:
    nearest = (mail.in_reply_to,) if mail.in_reply_to else ()
    return tuple(dict.fromkeys((*mail.references, *nearest)))


def _file(attachment: Attachment) -> IncomingFile:
    return IncomingFile(
        filename=attachment.filename,
        content_type=attachment.content_type,
        sha256=attachment.sha256,
        content=attachment.content,
        content_id=attachment.content_id,
        inline=attachment.inline,
        invitation=attachment.invitation,
        mail=attachment.mail,
    )


def _machine(mail: ParsedMail) -> MachineKind | None:
    if mail.machine.bounce is not None:
        return "bounce"
    if mail.is_auto_reply:
        return "auto_reply"
    return "list" if mail.machine.is_bulk else None


def _undelivered(mail: ParsedMail, key: bytes) -> UndeliveredReply | None:
    """Find the reply of ours that a bounce is about, by the Message-ID that we gave it."""
    bounce = mail.machine.bounce
    if bounce is None or bounce.message_id is None:
        return None
    ticket_id, message_id = ticket_of_message_id(bounce.message_id, key), reply_of_message_id(bounce.message_id, key)
    if ticket_id is None or message_id is None:
        return None
    return UndeliveredReply(
        ticket_id=ticket_id,
        message_id=message_id,
        permanent=mail.is_bounce,
        reason=" ".join(filter(None, (bounce.status, bounce.diagnostic))),
        recipients=bounce.failed or bounce.delayed,
    )
