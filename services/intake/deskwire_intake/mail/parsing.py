"""From the bytes of a mail to what it says; no bytes make it raise."""

from collections.abc import Callable

from deskwire_intake.mail.addresses import read_addresses
from deskwire_intake.mail.bodies import Body, joined_html, read_attachments, read_content
from deskwire_intake.mail.fingerprints import digest_of_content
from deskwire_intake.mail.headers import Headers, decode_words, one_line
from deskwire_intake.mail.identifiers import message_ids, read_date, single_message_id
from deskwire_intake.mail.machines import read_machine
from deskwire_intake.mail.parsed import Address, ParsedMail, Way
from deskwire_intake.mail.protection import read_protection
from deskwire_intake.mail.quotes import newly_written, reply_of_html, text_of_html, without_tags
from deskwire_intake.mail.relays import read_authentication_results, read_hops, read_spam_signs
from deskwire_intake.mail.signatures import signature_of
from deskwire_intake.mail.tree import read_tree

MAX_TEXT = 256 * 1024  # characters; the whole mail stays in the object store
MAX_HTML = 1024 * 1024
MAX_SUBJECT = 1_000
MAX_DELIVERIES = 50

_EXPECTED_FIELDS = ("from", "date", "message-id")
_DELIVERY_FIELDS = ("delivered-to", "x-original-to", "envelope-to")


def parse_mail(raw: bytes) -> ParsedMail:
    """Read a mail; what is broken in it or beyond the limits is told in `defects`."""
    defects: set[str] = set()
    root = read_tree(_with_line_feeds(raw), defects)
    headers = root.headers
    content = read_content(root, defects)
    html = joined_html(content.bodies)
    html = None if html is None else _limited(html, MAX_HTML, "HTML", defects)
    text, reply_text = _texts(content.bodies, html, defects)
    from_ = _sender(headers, defects)
    subject = one_line(decode_words(headers.first("subject")[: 4 * MAX_SUBJECT]), MAX_SUBJECT)
    defects.update(f"header field missing: {name}" for name in _EXPECTED_FIELDS if name not in headers)
    return ParsedMail(
        subject=subject,
        from_=from_,
        to=read_addresses(headers.joined("to"), defects),
        cc=read_addresses(headers.joined("cc"), defects),
        reply_to=read_addresses(headers.joined("reply-to"), defects),
        delivered_to=_delivered_to(headers, defects),
        message_id=single_message_id(headers.first("message-id")),
        in_reply_to=single_message_id(headers.first("in-reply-to")),
        references=message_ids(headers.first("references")),
        date=read_date(headers.first("date"), defects),
        text=text,
        html=html,
        reply_text=reply_text,
        signature=_signature(reply_text, html, defects),
        attachments=tuple(read_attachments(content.attached, html, defects)),
        machine=read_machine(root, from_, subject, defects),
        way=Way(read_hops(headers), read_authentication_results(headers), read_spam_signs(headers)),
        protection=read_protection(root, text),
        content_digest=digest_of_content(headers, root.body),
        defects=tuple(sorted(defects)),  # evaluated last, when all else has been read
    )


def _with_line_feeds(raw: bytes) -> bytes:
    """Give a mail whose lines end in carriage returns alone the line ends that all else expects."""
    return raw if b"\n" in raw else raw.replace(b"\r", b"\n")


def _sender(headers: Headers, defects: set[str]) -> Address | None:
    value = headers.joined("from")
    addresses = read_addresses(value, defects)
    if value and not addresses:
        defects.add("sender has no address")
    return addresses[0] if addresses else None


def _delivered_to(headers: Headers, defects: set[str]) -> tuple[str, ...]:
    value = ", ".join(value for name in _DELIVERY_FIELDS for value in headers.all(name)[:MAX_DELIVERIES])
    return tuple(dict.fromkeys(found.address for found in read_addresses(value, defects)))[:MAX_DELIVERIES]


def _texts(bodies: tuple[Body, ...], html: str | None, defects: set[str]) -> tuple[str, str]:
    """Choose the plain text, derived from HTML where there is none, and what of it was newly written."""
    only_html = html is not None and not any(body.text and body.text.strip() for body in bodies)
    derived = [_plain(body, defects) for body in bodies]
    text = _limited("\n".join(derived), MAX_TEXT, "text", defects).strip("\n")
    if only_html and html is not None:
        return text, _guarded(reply_of_html, html, lambda _: text, "HTML", defects)[:MAX_TEXT]
    return text, _guarded(newly_written, text, str, "quote", defects)


def _signature(text: str, html: str | None, defects: set[str]) -> str | None:
    def found(markup: str) -> str:
        return signature_of(text, markup) or ""

    return _guarded(found, html or "", lambda _: "", "signature", defects) or None


def _plain(body: Body, defects: set[str]) -> str:
    if body.html is None or (body.text and body.text.strip()):
        return body.text or ""
    return _guarded(text_of_html, body.html[:MAX_HTML], without_tags, "HTML", defects)


def _guarded(read: Callable[[str], str], text: str, instead: Callable[[str], str], name: str, defects: set[str]) -> str:
    """Apply a reader that rests on code of others: no mail may be lost by what that code cannot bear."""
    try:
        return read(text)
    except Exception as error:  # noqa: BLE001  # told as a defect, and the mail is read without it
        defects.add(f"{name} reader failed: {type(error).__name__}")
        return instead(text)


def _limited(text: str, limit: int, name: str, defects: set[str]) -> str:
    if len(text) > limit:
        defects.add(f"{name} cut at {limit} characters")
    return text[:limit]
