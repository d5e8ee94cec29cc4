"""Where the signature begins that a mail ends with.

Only what surely is one counts: words that stand folded away are read by few.
"""

import re
from collections.abc import Iterator
from itertools import islice

from deskwire_intake.mail.phrases import SENT_FROM
from deskwire_intake.mail.quotes import HTML_HISTORY, Element, tree_without

MAX_LENGTH = 2_000  # characters
MAX_LINES = 30
MAX_LINES_AFTER_DASHES = 15
MAX_LINE = 72
MAX_WORDS = 10  # of a line that tells who somebody is, not what they want
MAX_SENTENCE = 4  # words that may end in a full stop, as "Example Inc." does
MAX_MARKED = 8  # pieces of HTML that are looked at
MAX_PIECES = 500  # of text in each
MAX_PHRASE = 400  # characters, with the address of a shop

_DELIMITER = re.compile(r"^--(?P<proper>[ \u00a0])?[ \t]*$", re.MULTILINE)  # RFC 3676, 4.3
_MARK = re.compile("signature", re.IGNORECASE)
_CLASSES = ("gmail_signature", "moz-signature", "protonmail_signature_block")
_IDS = ("Signature", "ms-outlook-mobile-signature", "AppleMailSignature")
_HTML_SIGNATURE = "//*[{}]".format(
    " or ".join(
        (
            *(f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')" for name in _CLASSES),
            *(f"@id='{name}'" for name in _IDS),
        )
    )
)


def signature_of(text: str, html: str) -> str | None:
    """Find the signature at the end of a text, to the letter; a text is never nothing but signature."""
    since = max(0, len(text) - MAX_LENGTH)
    found = (*_starts_after_delimiter(text, since), *_starts_of_phrase(text), *_starts_of_marked(text, since, html))
    start = min((start for start in found if since <= start and text[:start].strip()), default=None)
    return None if start is None else text[start:]


def _starts_after_delimiter(text: str, since: int) -> Iterator[int]:
    for delimiter in _DELIMITER.finditer(text, since):
        lines = [line for line in text[delimiter.end() :].split("\n") if line.strip()]
        if _is_signature(lines) if delimiter["proper"] else _tells_who(lines):
            yield delimiter.start()


def _is_signature(lines: list[str]) -> bool:
    return 0 < len(lines) <= MAX_LINES and not any(line.lstrip().startswith(">") for line in lines)


def _tells_who(lines: list[str]) -> bool:
    """Whether lines below two dashes, with which people part their thoughts too, are but names and addresses."""
    return 0 < len(lines) <= MAX_LINES_AFTER_DASHES and all(map(_is_no_sentence, lines))


def _is_no_sentence(line: str) -> bool:
    line = line.strip()
    words = len(line.split())
    if len(line) > MAX_LINE or words > MAX_WORDS or line.startswith((">", "--", "- ", "* ")):
        return False
    return words <= MAX_SENTENCE if line.endswith(".") else not line.endswith(("?", "!", ":", ";", ","))


def _starts_of_phrase(text: str) -> Iterator[int]:
    """Find a last line with which a telephone says that it is one."""
    start = text.rfind("\n") + 1
    if len(text) - start <= MAX_PHRASE and SENT_FROM.match(text, start):
        yield start


def _starts_of_marked(text: str, since: int, html: str) -> Iterator[int]:
    """Find what the HTML form marks as the signature, when the text ends with the same letters."""
    if not _MARK.search(html):
        return
    for element in islice(tree_without(html, HTML_HISTORY).xpath(_HTML_SIGNATURE), MAX_MARKED):
        start = _start_of(_letters(element), text, since)
        if start is not None:
            yield _with_delimiter_above(text, start)


def _letters(element: Element) -> str:
    return "".join(filter(str.isalnum, "".join(islice(element.itertext(), MAX_PIECES))))


def _start_of(letters: str, text: str, since: int) -> int | None:
    """Walk back through a text that ends with these letters, whatever else stands between them, to a line's start."""
    if not 0 < len(letters) <= MAX_LENGTH:
        return None
    end = len(text)
    for letter in reversed(letters):
        end = next((at for at in range(end - 1, since - 1, -1) if text[at].isalnum()), -1)
        if end < 0 or text[end] != letter:
            return None
    start = text.rfind("\n", 0, end) + 1
    return None if any(map(str.isalnum, text[start:end])) else start


def _with_delimiter_above(text: str, start: int) -> int:
    above = text[:start].rstrip()
    line = above.rfind("\n") + 1
    return line if above[line:] == "--" else start
