"""Which words of a mail its sender newly wrote."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Protocol

import html_text
import quotequail

from deskwire_intake.mail.phrases import HEAD_FROM, HEAD_SENT_OR_TO, HEAD_SUBJECT, WROTE
from deskwire_shared.contracts.threading_tokens import REPLY_DELIMITER

MAX_LINES_SEARCHED = 1_000  # for the line that introduces the history; each costs some 40 patterns
MAX_LINE = 1_000
HEAD_LINES = 8  # of the head that Outlook sets above the mail it answers
INTRODUCTION_LINES = 3  # "On Monday … Ann Example\n<ann@example.net>\nwrote:"

_QUOTED = re.compile(r"\s?>")
_LOOKS_QUOTED = re.compile(
    rf"^\s?>|^[-_]{{3,}}|[:\uff1a*]\s*$|^\d{{4}}[/-]\d|{re.escape(REPLY_DELIMITER)}",
    re.MULTILINE | re.IGNORECASE,
)
_DELIMITER = re.compile(rf"^[> \t]*{re.escape(REPLY_DELIMITER)}\s*$", re.MULTILINE | re.IGNORECASE)
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # lxml refuses to move such text
_TAG = re.compile(r"<[^<>]*>")
_DATE = re.compile(r"\d{1,2}[:.h]\d{2}(?!\d)|\b(?:19|20)\d\d\b|\d{4}\u5e74")
_ADDRESS = re.compile(r"[<(\[][^<>()\[\]\s]{1,64}@[^<>()\[\]\s]{1,255}[>)\]]|\[mailto:|<mailto:")

_HTML_UNSEEN = "//title"
HTML_HISTORY = (
    "//blockquote[@type='cite']"
    "|//*[contains(concat(' ', normalize-space(@class), ' '), ' gmail_quote ')]"
    "|//*[contains(concat(' ', normalize-space(@class), ' '), ' gmail_quote_container ')]"
    "|//*[contains(concat(' ', normalize-space(@class), ' '), ' moz-cite-prefix ')]"
    "|//*[contains(concat(' ', normalize-space(@class), ' '), ' yahoo_quoted ')]"
    "|//*[@id='divRplyFwdMsg' or @id='appendonsend' or @id='mail-editor-reference-message-container']"
    "|(//*[@id='divRplyFwdMsg' or @id='appendonsend'])[1]/following-sibling::*"
)


def text_of_html(html: str) -> str:
    """Derive plain text from an HTML body; the parser gives up on elements nested hundreds deep."""
    return _text_without(html, _HTML_UNSEEN) or without_tags(html)


def without_tags(html: str) -> str:
    """Derive text from markup that no parser bears."""
    return unescape(_TAG.sub(" ", html)).replace("\x00", "").strip()


def reply_of_html(html: str) -> str:
    """Derive what was newly written from an HTML body, whose markup often tells where the history begins."""
    return newly_written(_text_without(html, f"{_HTML_UNSEEN}|{HTML_HISTORY}")) or newly_written(text_of_html(html))


def _text_without(html: str, path: str) -> str:
    return html_text.extract_text(tree_without(html, path))


class Element(Protocol):
    """A piece of parsed HTML."""

    def xpath(self, path: str, /) -> list["Element"]:
        """Give the elements that an XPath names."""
        ...

    def itertext(self) -> Iterator[str]:
        """Give the text within, in pieces."""
        ...

    def clear(self, *, keep_tail: bool) -> None:
        """Empty it; the tail is the text behind it."""
        ...


def tree_without(html: str, path: str) -> Element:
    """Parse an HTML body, and empty the elements that an XPath names."""
    tree: Element = html_text.parse_html(_NOT_XML.sub("", html))
    for element in tree.xpath(path):
        element.clear(keep_tail=True)
    return tree


def newly_written(text: str) -> str:
    """Strip quoted history and what introduces it; a text that is nothing but history is kept whole."""
    if not (_LOOKS_QUOTED.search(text) or HEAD_FROM.search(text)):
        return text.strip()
    return _stripped(_above_delimiter(text)) or _stripped(text) or text.strip()


def _above_delimiter(text: str) -> str:
    delimiter = _DELIMITER.search(text)
    if delimiter is None:
        return text
    return "\n".join(_without_introduction(text[: delimiter.start()].split("\n")))


def _stripped(text: str) -> str:
    lines = text.split("\n")
    unmarked = list(_without_marked_lines(lines)) if any(map(_QUOTED.match, lines)) else lines
    return "\n".join(_above_history(unmarked)).strip()


def _without_marked_lines(lines: list[str]) -> Iterator[str]:
    """Drop the lines that start with a quotation mark, and the sentence above that says whose they are."""
    kept: list[str] = []
    for line in lines:
        if not _QUOTED.match(line):
            kept.append(line)
        elif kept:
            yield from _without_introduction(kept)
            kept = []
    yield from kept


def _without_introduction(lines: list[str]) -> list[str]:
    """Drop a last sentence like "On Monday, 10:00, Ann <ann@example.net> wrote:", in any language."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    first = end - _introduction_length(lines[max(0, end - INTRODUCTION_LINES) : end])
    return lines[:first] if first < end else lines


def _introduction_length(last_lines: list[str]) -> int:
    """Count the lines an introduction takes: up to the one with the date, else the one with the address."""
    if not last_lines or not last_lines[-1].rstrip().endswith((":", "\uff1a")):
        return 0
    paragraph: list[str] = []
    for line in reversed(last_lines):
        if not line.strip():
            break
        paragraph.append(line[:MAX_LINE])
    for evidence in (_DATE, _ADDRESS, WROTE):
        for length, line in enumerate(paragraph, 1):
            if evidence.search(line):
                return length
    return 0


def _above_history(lines: list[str]) -> list[str]:
    """Keep what stands above the first introduction of a history that no mark sets off."""
    searched = [line[:MAX_LINE] for line in lines[:MAX_LINES_SEARCHED]]
    ends = [_quotequail_end(searched), _head_start(searched), _introduction_start(searched)]
    end = min((end for end in ends if end is not None), default=None)
    return lines if end is None else lines[:end]


def _quotequail_end(lines: list[str]) -> int | None:
    above, *history = quotequail.quote("\n".join(lines), limit=len(lines) + 1, quote_intro_line=True)
    return above[1].count("\n") + (1 if above[1] else 0) if history else None


def _head_start(lines: list[str]) -> int | None:
    for number, line in enumerate(lines):
        if not HEAD_FROM.match(line):
            continue
        head = lines[number + 1 : number + HEAD_LINES]
        if any(map(HEAD_SENT_OR_TO.match, head)) and any(map(HEAD_SUBJECT.match, head)):
            return number
    return None


def _introduction_start(lines: list[str]) -> int | None:
    """Find a sentence with a date that says that someone wrote, or that names an address."""
    for number, line in enumerate(lines):
        if not line.rstrip().endswith((":", "\uff1a")):
            continue
        for length in (1, 2):
            sentence = " ".join(part.strip() for part in lines[max(0, number + 1 - length) : number + 1])
            if _DATE.search(sentence) and (WROTE.search(sentence) or _ADDRESS.search(sentence)):
                return number + 1 - length
    return None
