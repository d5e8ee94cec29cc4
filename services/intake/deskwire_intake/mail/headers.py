"""The header block of a mail or a part: fields, encoded words (RFC 2047) and parameters (RFC 2045, 2231)."""

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from deskwire_intake.mail.charsets import decode

MAX_FIELDS = 1_000
MAX_FIELD_BYTES = 1024 * 1024
MAX_PARAMETERS = 100
MAX_PARAMETER_BYTES = 64 * 1024

_FIELD_NAME = re.compile(rb"([!-9;-~\x80-\xff]{1,200})[ \t]*:")
_FIELD_END = re.compile(rb"\n(?![ \t])")
_BLANK_LINE = re.compile(rb"\r?\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_END_OF_HEADER = re.compile(rb"\n\r?\n")
_FOLD = re.compile(rb"[\r\n]+")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
_PARAMETER = re.compile(r";\s*([^\s=;\"]{1,80})\s*=\s*(?:\"((?:[^\"\\]|\\(?:.|\Z))*+)(?:\"|\Z)|([^;]*))", re.DOTALL)
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?\Z")
_BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64_ALPHABET))
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Headers:
    """The fields of one header block, by lower-case name, decoded when asked for."""

    def __init__(self, fields: dict[str, list[bytes]], charset: str | None = None) -> None:
        self._fields = fields
        self.charset = charset

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for name, values in self._fields.items():
            for value in values:
                yield name, value.decode("ascii", "replace")

    def raw(self, name: str) -> list[bytes]:
        """Return every value of a field as it was sent, unfolded."""
        return self._fields.get(name, [])

    def all(self, name: str) -> list[str]:
        """Return every value of a field as text; without a charset guess, since there may be many."""
        return [self._text(value, guess=False) for value in self.raw(name)]

    def first(self, name: str) -> str:
        """Return the first value of a field as text, or nothing; encoded words are left as they are."""
        values = self.raw(name)
        return self._text(values[0]) if values else ""

    def joined(self, name: str) -> str:
        """Return the values of a field that holds a list and that was sent more than once."""
        return self._text(b", ".join(self.raw(name)))

    def _text(self, value: bytes, *, guess: bool = True) -> str:
        """Decode as UTF-8 (RFC 6532), else by the charset of the body, which old programs use above it too."""
        if self.charset and (b"\x1b" in value or not value.isascii()):  # ESC switches charsets in ISO-2022
            return decode(value, None if _is_utf8(value) and b"\x1b" not in value else self.charset, guess=guess)[0]
        return decode(value, None, guess=guess)[0]


def read_headers(raw: bytes, start: int, end: int, defects: set[str]) -> tuple[Headers, int]:
    """Read the fields from `start`; the second value is where the body begins."""
    fields: dict[str, list[bytes]] = {}
    position, count = start, 0
    while position < end and (name := _FIELD_NAME.match(raw, position, end)):
        if count == MAX_FIELDS:
            defects.add(f"more than {MAX_FIELDS} header fields")
            blank = _END_OF_HEADER.search(raw, position, end)
            return Headers(fields), blank.end() if blank else end
        count += 1
        line_end = _FIELD_END.search(raw, name.end(), end)
        position = line_end.end() if line_end else end
        value = _unfolded(raw[name.end() : position], defects)
        fields.setdefault(name[1].decode("ascii", "replace").lower(), []).append(value)
    blank = _BLANK_LINE.match(raw, position, end)
    if blank is None and position < end:
        defects.add("no blank line between header and body")
    return Headers(fields), blank.end() if blank else position


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeError:
        return False
    return True


def _unfolded(value: bytes, defects: set[str]) -> bytes:
    if len(value) > MAX_FIELD_BYTES:
        defects.add(f"header field cut at {MAX_FIELD_BYTES} bytes")
        value = value[:MAX_FIELD_BYTES]
    if b"\x00" in value:
        defects.add("NUL bytes removed")
        value = value.replace(b"\x00", b"")
    return _FOLD.sub(b"", value).strip()


def one_line(text: str, limit: int) -> str:
    """Collapse white space and control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())[:limit].rstrip()


def decode_words(value: str) -> str:
    """Decode the encoded words in a header value (RFC 2047).

    Neighbours of one charset are one run of bytes: senders split even characters between them.
    """
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending, charset, position = b"", "", 0
    for word in _ENCODED_WORD.finditer(value):
        between = value[position : word.start()]
        word_charset = word[1].partition("*")[0].lower()
        if pending and (between.strip() or word_charset != charset):
            pieces.append(decode(pending, charset, guess=False)[0])
            pending = b""
        if position == 0 or between.strip():
            pieces.append(between)
        pending += _word_bytes(word[2], word[3])
        charset, position = word_charset, word.end()
    pieces.append(decode(pending, charset, guess=False)[0])
    pieces.append(value[position:])
    return "".join(pieces)


def _word_bytes(encoding: str, payload: str) -> bytes:
    data = payload.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    return lenient_base64(data)[0]


def lenient_base64(data: bytes) -> tuple[bytes, bool]:
    """Decode base64 as far as it goes; the second value tells whether it was broken."""
    digits = data.translate(None, _NOT_BASE64)
    noise = data.translate(None, _BASE64_ALPHABET + b"= \t\r\n")
    left_over = len(digits) % 4
    broken = bool(noise) or left_over == 1
    whole = digits[:-1] if left_over == 1 else digits
    return base64.b64decode(whole + b"=" * (-len(whole) % 4)), broken


def read_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split a structured value into its main word and its parameters (RFC 2231 joined and decoded)."""
    value = value[:MAX_PARAMETER_BYTES]
    main = value.partition(";")[0].strip().lower()
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, parameter in enumerate(_PARAMETER.finditer(value), 1):
        if count > MAX_PARAMETERS:
            break
        name = _SECTION.match(parameter[1].lower())
        if name is None:
            continue
        quoted, plain = parameter[2], parameter[3]
        text = _ESCAPED.sub(r"\1", quoted) if quoted is not None else plain.strip()
        sections.setdefault(name[1], {}).setdefault(int(name[2] or 0), (text, name[3] is not None))
    return main, {name: _joined(numbered) for name, numbered in sections.items()}


def _joined(sections: dict[int, tuple[str, bool]]) -> str:
    ordered = [sections[number] for number in sorted(sections)]
    if not ordered[0][1] and not any(extended for _, extended in ordered):
        return decode_words("".join(text for text, _ in ordered))
    charset: str | None = None
    if ordered[0][1] and ordered[0][0].count("'") > 1:
        charset, _, first = ordered[0][0].split("'", 2)
        ordered[0] = (first, True)
    data = b"".join(unquote_to_bytes(t) if extended else t.encode() for t, extended in ordered)
    return decode(data, charset or None, guess=False)[0]
