"""Whether a machine wrote a mail: automatic replies (RFC 3834), mailing lists, loops."""

import re

from deskwire_intake.mail.bounces import read_bounce
from deskwire_intake.mail.headers import Headers, one_line
from deskwire_intake.mail.parsed import Address, Machine
from deskwire_intake.mail.phrases import OUT_OF_OFFICE
from deskwire_intake.mail.tree import Part
from deskwire_shared.contracts.threading_tokens import LOOP_HEADER

MAX_LOOP_TOKENS = 20
MAX_WORD = 100

_AUTO_REPLY_FIELDS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-vacation")
_BULK_PRECEDENCES = frozenset({"bulk", "junk", "list"})
_LIST_FIELDS = ("list-id", "list-post", "list-unsubscribe", "mailing-list", "x-mailing-list")
_SUPPRESSED_ANSWERS = frozenset({"all", "autoreply", "oof"})
_COMMENT = re.compile(r"\([^()]*\)")
_NOBODY = re.compile(r"(?:no|do[-_.]?not|donot)[-_.]?reply\b", re.IGNORECASE)


def read_machine(root: Part, from_: Address | None, subject: str, defects: set[str]) -> Machine:
    """Collect the signs that a machine wrote a mail."""
    headers = root.headers
    auto_submitted = _word(headers, "auto-submitted")
    return Machine(
        auto_submitted=auto_submitted or None,
        is_auto_reply=_is_auto_reply(root, auto_submitted, subject),
        is_bulk=_word(headers, "precedence") in _BULK_PRECEDENCES or any(name in headers for name in _LIST_FIELDS),
        declines_answers=_declines_answers(headers, from_),
        bounce=read_bounce(root, from_, defects),
        loop_tokens=tuple(one_line(v, MAX_WORD) for v in headers.all(LOOP_HEADER.lower())[:MAX_LOOP_TOKENS]),
    )


def _is_auto_reply(root: Part, auto_submitted: str, subject: str) -> bool:
    headers = root.headers
    return (
        auto_submitted not in {"", "no"}
        or _word(headers, "precedence") == "auto_reply"
        or any(_word(headers, name) not in {"", "no", "false"} for name in _AUTO_REPLY_FIELDS)
        or root.content_type == "multipart/report"
        or (_suppresses_answers(headers) and OUT_OF_OFFICE.match(subject) is not None)
        or _word(headers, "x-ms-exchange-generated-message-source") == "mailbox rules agent"
    )


def _declines_answers(headers: Headers, from_: Address | None) -> bool:
    nowhere = headers.first("return-path").strip() == "<>"
    nobody = from_ is not None and _NOBODY.match(from_.address) is not None
    return nowhere or nobody or _suppresses_answers(headers)


def _suppresses_answers(headers: Headers) -> bool:
    suppressed = headers.first("x-auto-response-suppress")[: MAX_WORD * 4].lower()
    return not _SUPPRESSED_ANSWERS.isdisjoint(word.strip() for word in suppressed.split(","))


def _word(headers: Headers, name: str) -> str:
    return _COMMENT.sub("", headers.first(name)[:MAX_WORD]).partition(";")[0].strip().lower()
