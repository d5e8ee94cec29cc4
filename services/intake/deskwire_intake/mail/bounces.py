"""Reports that a mail of ours was not delivered: RFC 3464, and the dialects that come without it."""

import logging
import re
from email.message import Message
from email.utils import getaddresses

from flufl.bounce import all_failures

from deskwire_intake.mail.headers import Headers, one_line, read_headers
from deskwire_intake.mail.identifiers import single_message_id
from deskwire_intake.mail.parsed import Address, Bounce
from deskwire_intake.mail.tree import Part

# It logs what its detectors cannot bear; here that becomes a defect of the mail.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)

MAX_RECIPIENTS = 100
MAX_REPORT_BYTES = 64 * 1024
MAX_REPORT_PARTS = 20
MAX_REPORT_LINE = 1_000
MAX_DIAGNOSTIC = 500

_MAILER = re.compile(
    r"\"?(?:mailer[-_ ]?daemon|mail delivery (?:sub)?system)\b|.*<mailer-daemon(?:@[^>]*)?>", re.IGNORECASE
)
_POSTMASTER = re.compile(r"(?:postmaster|microsoftexchange[0-9a-f]+)@", re.IGNORECASE)
_RETURNED_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(<[^<>\s]{1,998}>)", re.MULTILINE | re.IGNORECASE)
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})


def read_bounce(root: Part, from_: Address | None, defects: set[str]) -> Bounce | None:
    """Read a bounce, if the mail is one."""
    leaves = _leaves(root)
    status = next((p for p in leaves if p.content_type in _STATUS_TYPES), None)
    if status is not None and root.content_type == "multipart/report":
        bounce = _read_status(status, defects)
    else:
        bounce = _read_dialect(root, from_, defects)
    if bounce is None:
        return None
    failed, delayed, code, diagnostic = bounce
    return Bounce(failed, delayed, code, diagnostic, _returned_message_id(root, leaves, defects))


_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_Findings = tuple[tuple[str, ...], tuple[str, ...], str | None, str | None]


def _read_status(part: Part, defects: set[str]) -> _Findings | None:
    """Read the machine's own words (RFC 3464); a report of success is no bounce."""
    failed: dict[str, Headers] = {}
    delayed: dict[str, Headers] = {}
    succeeded = False
    for block in _blocks(part.content(defects)[:MAX_REPORT_BYTES]):
        action = block.first("action").lower()
        recipient = _recipient(block)
        if action.startswith(("fail", "error")):
            failed[recipient] = block
        elif action.startswith("delayed"):
            delayed[recipient] = block
        elif action:
            succeeded = True
    if succeeded and not failed and not delayed:
        return None
    reason = next(iter((failed or delayed).values()), Headers({}))
    return (
        _named(failed),
        _named(delayed),
        one_line(reason.first("status"), MAX_DIAGNOSTIC) or None,
        one_line(reason.first("diagnostic-code").partition(";")[2], MAX_DIAGNOSTIC) or None,
    )


def _blocks(status: bytes) -> list[Headers]:
    blocks = re.split(rb"\r?\n\r?\n", status.strip(), maxsplit=MAX_RECIPIENTS)
    return [read_headers(block, 0, len(block), set())[0] for block in blocks]


def _recipient(block: Headers) -> str:
    value = block.first("original-recipient") or block.first("final-recipient")
    return one_line(value.rpartition(";")[2], MAX_DIAGNOSTIC).strip("<> ")


def _named(recipients: dict[str, Headers]) -> tuple[str, ...]:
    return tuple(recipient for recipient in recipients if "@" in recipient)


def _read_dialect(root: Part, from_: Address | None, defects: set[str]) -> _Findings | None:
    """Look for the recipients in a report made for humans, if the sender is a mail system."""
    sender = root.headers.first("from")[:MAX_REPORT_LINE]
    from_mailer = _MAILER.match(sender.strip()) is not None
    suspected = (
        from_mailer
        or "x-failed-recipients" in root.headers
        or (from_ is not None and _POSTMASTER.match(from_.address) is not None)
        or root.headers.first("return-path").strip() == "<>"
    )
    if not suspected:
        return None
    try:
        temporary, permanent = all_failures(_bounded_message(root, [0], defects))
    except Exception as error:  # noqa: BLE001  # seventeen detectors of others; the mail is kept, the failure is told
        defects.add(f"bounce detector failed: {type(error).__name__}")
        temporary, permanent = frozenset(), frozenset()
    failed = _addresses(permanent) or _listed(root.headers.first("x-failed-recipients"))
    delayed = _addresses(temporary)
    return (failed, delayed, None, None) if failed or delayed or from_mailer else None


def _addresses(recipients: frozenset[bytes]) -> tuple[str, ...]:
    found = sorted(recipient.decode("ascii", "replace") for recipient in recipients)
    return tuple(one_line(recipient, MAX_DIAGNOSTIC) for recipient in found if "@" in recipient)[:MAX_RECIPIENTS]


def _listed(value: str) -> tuple[str, ...]:
    words = (one_line(word, MAX_DIAGNOSTIC) for word in value.split(",", MAX_RECIPIENTS)[:MAX_RECIPIENTS])
    return tuple(word for word in words if "@" in word)


def _bounded_message(part: Part, count: list[int], defects: set[str]) -> Message:
    """Rebuild a small copy of the tree in the form that the detectors know."""
    message = Message()
    for name, value in part.headers:
        if name != "content-transfer-encoding":
            message[name] = value[:MAX_REPORT_LINE]
    if not getaddresses([message.get("from", "")]):  # a detector takes for granted that there is one
        del message["from"]
        message["from"] = "<>"
    count[0] += 1
    children = part.children[: max(0, MAX_REPORT_PARTS - count[0])]
    if children:
        message.set_payload([_bounded_message(child, count, defects) for child in children])
    else:
        text = part.content(defects)[:MAX_REPORT_BYTES].decode("ascii", "replace")
        message.set_payload("\n".join(line[:MAX_REPORT_LINE] for line in text.splitlines()))
    return message


def _leaves(root: Part) -> list[Part]:
    if not root.children:
        return [root]
    return [leaf for child in root.children for leaf in _leaves(child)]


def _returned_message_id(root: Part, leaves: list[Part], defects: set[str]) -> str | None:
    """Find which mail of ours came back: in its copy, in the report's text, or in the thread it continues."""
    for part in leaves:
        if part.content_type in _RETURNED or part.content_type == "text/plain":
            found = _RETURNED_MESSAGE_ID.search(part.content(defects)[: 4 * MAX_REPORT_BYTES])
            if found:
                return single_message_id(found[1].decode("utf-8", "replace"))
    for name in ("in-reply-to", "references"):
        thread = root.headers.first(name)
        if thread:
            return single_message_id(thread.split()[-1])
    return None
