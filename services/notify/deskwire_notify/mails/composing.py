"""Writes a letter down as a mail (RFC 5322), ready to be handed to a mail server."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Final

from deskwire_notify.mails.header_lines import WrittenHeader, address_header, ids_header, one_line, text_header
from deskwire_notify.mails.letters import Letter
from deskwire_shared.contracts.facts import Address, Attachment
from deskwire_shared.contracts.threading_tokens import LOOP_HEADER, loop_token, message_id_for, reply_address

LONGEST_FILENAME: Final = 150

_POLICY: Final = SMTP.clone(cte_type="7bit")
"""Not every server takes eight bits."""
_UTF8_POLICY: Final = SMTPUTF8.clone(cte_type="7bit")
_CONTENT_TYPE: Final = re.compile(
    r"(?!message/|multipart/)([a-z0-9][\w.+-]{0,60})/([a-z0-9][\w.+-]{0,100})\Z", re.ASCII
)
_CONTENT_ID: Final = re.compile(r"[!-;=?-~]{1,200}\Z")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class OutgoingMail:
    """A mail with its envelope."""

    mail_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    needs_utf8: bool = False
    """An address holds other than ASCII characters, which only some servers take (RFC 6531)."""


def compose(letter: Letter, contents: Mapping[str, bytes], key: bytes) -> OutgoingMail:
    """Write a letter down; `contents` holds its attachments by their keys, `key` is the site's."""
    addresses = letter.recipients.addresses
    needs_utf8 = not all(address.isascii() for address in addresses)
    mail = EmailMessage(policy=_UTF8_POLICY if needs_utf8 else _POLICY)
    for header in (*_headers(letter, key), *_machine_headers(letter)):
        mail[header.name] = header
    _write_bodies(mail, letter, contents)
    return OutgoingMail(
        mail_id=letter.mail_id,
        sender=letter.sender.address,
        recipients=addresses,
        content=mail.as_bytes(),
        needs_utf8=needs_utf8,
    )


def _headers(letter: Letter, key: bytes) -> list[WrittenHeader]:
    mailbox, name = letter.sender.address, letter.sender.name
    own_id = message_id_for(letter.mail_id, letter.ticket_id, key, mailbox.rpartition("@")[2])
    headers = [
        WrittenHeader("Date", [format_datetime(letter.at)]),
        address_header("From", [Address(address=mailbox, name=name)]),
        address_header("Reply-To", [Address(address=reply_address(mailbox, letter.ticket_id, key), name=name)]),
        text_header("Subject", letter.subject),
        ids_header("Message-ID", [own_id]),
        WrittenHeader(LOOP_HEADER, [loop_token(key)]),
    ]
    for name_of_header, people in (("To", letter.recipients.to), ("Cc", letter.recipients.cc)):
        if people:
            headers.append(address_header(name_of_header, people))
    if letter.thread.in_reply_to:
        headers.append(ids_header("In-Reply-To", [letter.thread.in_reply_to]))
    if letter.thread.references:
        headers.append(ids_header("References", letter.thread.references))
    return headers


def _machine_headers(letter: Letter) -> list[WrittenHeader]:
    """Ask other machines not to answer what no human wrote (RFC 3834; Exchange has its own word)."""
    if letter.auto_submitted is None:
        return []
    return [
        WrittenHeader("Auto-Submitted", [letter.auto_submitted]),
        WrittenHeader("X-Auto-Response-Suppress", ["All"]),
        WrittenHeader("Precedence", ["bulk"]),
    ]


def _write_bodies(mail: EmailMessage, letter: Letter, contents: Mapping[str, bytes]) -> None:
    mail.set_content(_clean(letter.text))
    mail.add_alternative(_clean(letter.html), subtype="html")
    html_part = mail.get_body(("html",))
    assert isinstance(html_part, EmailMessage)
    shown = [file for file in letter.attachments if _is_shown(file, letter.html)]
    for file in shown:
        maintype, subtype = _content_type(file)
        html_part.add_related(contents[file.key], maintype, subtype, cid=f"<{file.content_id}>")
    for file in letter.attachments:
        if file not in shown:
            maintype, subtype = _content_type(file)
            mail.add_attachment(contents[file.key], maintype, subtype, filename=_filename(file))


def _is_shown(file: Attachment, html: str) -> bool:
    """Whether the HTML shows a file by its content id; what it does not show is attached."""
    return bool(file.inline and file.content_id and _CONTENT_ID.match(file.content_id) and file.content_id in html)


def _content_type(file: Attachment) -> tuple[str, str]:
    """Split a file's type; whole mails are sent as plain bytes, since their type forbids base64 (RFC 2046, 5.2.1)."""
    found = _CONTENT_TYPE.match(file.content_type.lower())
    return (found[1], found[2]) if found else ("application", "octet-stream")


def _filename(file: Attachment) -> str:
    line = one_line(file.filename).replace("/", "_").replace("\\", "_").replace('"', "'")
    return line[-LONGEST_FILENAME:].strip() or "attachment"


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
