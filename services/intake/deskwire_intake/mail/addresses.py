"""Address lists as senders really write them (RFC 5322, loosely), in linear time."""

import re

from deskwire_intake.mail.headers import decode_words, one_line
from deskwire_intake.mail.parsed import Address

MAX_ADDRESSES = 1_000
MAX_LIST = 256 * 1024  # characters
MAX_NAME = 256
MAX_ADDRESS = 320  # 64 for the local part, 255 for the domain

_ENCODED_WORD = r"=\?[^?\s]{1,80}\?[bBqQ]\?[^?\s]*\?="
_TOKEN = re.compile(
    rf"(?P<word>{_ENCODED_WORD}|[^\",;:<>()=]+|=)"
    r"|\"(?P<quoted>(?:[^\"\\]|\\(?:.|\Z))*+)(?:\"|\Z)"
    r"|<(?P<angle>[^<>]*)>?"
    r"|\((?P<comment>(?:[^()\\]|\\(?:.|\Z))*+)\)?"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_SIMPLE = re.compile(r"([\w .'-]*)<([^\s<>@\",;:()]+@[^\s<>@\",;:()]+)>\Z")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")


def read_addresses(value: str, defects: set[str]) -> tuple[Address, ...]:
    """Read the addresses of a header value, without those that are none."""
    if simple := _SIMPLE.match(value):
        address = _address(simple[1], simple[2])
        return (address,) if address else ()
    if len(value) > MAX_LIST:
        defects.add(f"address list cut at {MAX_LIST} characters")
        value = value[:MAX_LIST]
    reader = _ListReader()
    for token in _TOKEN.finditer(_with_paired_quotes(value)):
        reader.take(token)
        if len(reader.addresses) >= MAX_ADDRESSES:
            defects.add(f"more than {MAX_ADDRESSES} addresses in a header field")
            break
    reader.finish()
    return tuple(reader.addresses[:MAX_ADDRESSES])


def _with_paired_quotes(value: str) -> str:
    """Drop quotation marks if one is alone: it would swallow every address behind it."""
    quotes = value.count('"') - value.count('\\"')
    return value.replace('"', "") if quotes % 2 else value


class _ListReader:
    def __init__(self) -> None:
        self.addresses: list[Address] = []
        self._words: list[str] = []
        self._angle: str | None = None
        self._comment = ""

    def take(self, token: re.Match[str]) -> None:
        match token.lastgroup:
            case "word":
                self._words.append(token["word"])
            case "quoted":
                self._words.append(_ESCAPED.sub(r"\1", token["quoted"]))
            case "angle":
                self._angle = token["angle"]
            case "comment":
                self._comment = token["comment"]
            case _:
                self._mark(token["mark"])

    def _mark(self, mark: str) -> None:
        if mark in ",;":
            self.finish(separator=mark)
        elif mark == ":" and self._angle is None:  # "undisclosed-recipients:;", "mailto:ann@example.net"
            self._words = []

    def finish(self, separator: str = "") -> None:
        """Close an entry; `Lastname, Firstname <…>` without quotation marks is one entry."""
        name = "".join(self._words)
        address = self._entry(name)
        if address is not None:
            self.addresses.append(address)
        elif separator == "," and self._angle is None and name.strip():
            self._words = [name[:MAX_NAME], ","]
            return
        self._words, self._angle, self._comment = [], None, ""

    def _entry(self, name: str) -> Address | None:
        if self._angle is not None:
            return _address(name or self._comment, self._angle)
        words = name.split()
        bare = next((word for word in words if "@" in word), "")
        return _address(" ".join(word for word in words if word != bare) or self._comment, bare)


def _address(name: str, address: str) -> Address | None:
    address = _SPACE.sub("", address)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or len(address) > MAX_ADDRESS:
        return None
    return Address(one_line(decode_words(name[: 4 * MAX_NAME]), MAX_NAME).strip("'"), address)
