"""The parts of a MIME mail, found in one buffer within limits on depth and number.

The standard library's parser recurses with the sender's nesting and tests each line against every open
boundary, so that one mail can stop a process; this one only ever searches for the boundary at hand.
"""

import binascii
import re
from dataclasses import dataclass

from deskwire_intake.mail.charsets import decode
from deskwire_intake.mail.headers import Headers, lenient_base64, read_headers, read_parameters

MAX_DEPTH = 50
MAX_PARTS = 500

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf or a branch of the tree, as a span of the mail's bytes."""

    raw: bytes
    start: int
    body_start: int
    end: int
    headers: Headers
    content_type: str
    parameters: dict[str, str]
    children: tuple["Part", ...] = ()
    opaque: bool = False

    @property
    def body(self) -> bytes:
        """The bytes below the header, still in their transfer encoding."""
        return self.raw[self.body_start : self.end]

    def content(self, defects: set[str]) -> bytes:
        """Undo the transfer encoding."""
        encoding = self.headers.first("content-transfer-encoding").partition(";")[0].strip().lower()
        match encoding:
            case "base64":
                data, broken = lenient_base64(self.body)
                if broken:
                    defects.add("base64 broken")
                return data
            case "quoted-printable":
                return binascii.a2b_qp(self.body)
            case "" | "7bit" | "8bit" | "binary":
                return self.body
            case _:
                defects.add("transfer encoding unknown")
                return self.body

    def text(self, defects: set[str]) -> str:
        """Undo transfer encoding and charset; lines end in a line feed."""
        data = self.content(defects)
        if b"\x00" in data and codec_has_no_nul(self.parameters.get("charset", "")):
            defects.add("NUL bytes removed")
            data = data.replace(b"\x00", b"")
        text, defect = decode(data, self.parameters.get("charset") or None)
        if defect:
            defects.add(defect)
        return text.replace("\r\n", "\n").replace("\r", "\n")


def codec_has_no_nul(charset: str) -> bool:
    """Tell whether NUL is never part of a character, as it is in UTF-16 and UTF-32."""
    return not charset.lower().startswith(("utf-16", "utf16", "utf-32", "utf32"))


def read_tree(raw: bytes, defects: set[str]) -> Part:
    """Find the parts of a mail."""
    start = 0
    if raw.startswith((b"From ", b">From ")):  # the separator line of an mbox file
        start = raw.find(b"\n") + 1
    return _TreeReader(raw, defects).read(start, len(raw), depth=0, default_type="text/plain")


class _TreeReader:
    def __init__(self, raw: bytes, defects: set[str]) -> None:
        self.raw = raw
        self.defects = defects
        self.parts_left = MAX_PARTS

    def read(self, start: int, end: int, *, depth: int, default_type: str) -> Part:
        headers, body_start = read_headers(self.raw, start, end, self.defects)
        content_type, parameters = self._media_type(headers, default_type)
        charset = parameters.get("charset", "")
        headers.charset = charset if charset and codec_has_no_nul(charset) else None
        boundary = parameters.get("boundary", "").rstrip()
        children: tuple[Part, ...] = ()
        if content_type.startswith("multipart/"):
            if depth >= MAX_DEPTH or self.parts_left <= 0:
                self.defects.add("parts beyond the limits kept as one attachment")
                return Part(self.raw, start, body_start, end, headers, content_type, parameters, (), opaque=True)
            children = self._children(body_start, end, boundary, content_type, depth)
            if not children:
                self.defects.add("multipart without parts")
                content_type = "text/plain"
        return Part(self.raw, start, body_start, end, headers, content_type, parameters, children)

    def _media_type(self, headers: Headers, default_type: str) -> tuple[str, dict[str, str]]:
        if "content-type" not in headers:
            return default_type, {}
        content_type, parameters = read_parameters(headers.first("content-type"))
        if _MEDIA_TYPE.match(content_type):
            return content_type, parameters
        self.defects.add("content type malformed")
        return "text/plain", parameters

    def _children(self, start: int, end: int, boundary: str, content_type: str, depth: int) -> tuple[Part, ...]:
        if not boundary:
            return ()
        default_type = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        delimiter = b"--" + boundary.encode("utf-8", "replace")
        children = []
        for part_start, part_end in self._spans(start, end, delimiter):
            self.parts_left -= 1
            children.append(self.read(part_start, part_end, depth=depth + 1, default_type=default_type))
        return tuple(children)

    def _spans(self, start: int, end: int, delimiter: bytes) -> list[tuple[int, int]]:
        """Find what lies between the delimiter lines; beyond the limit on parts, the rest is one part."""
        spans: list[tuple[int, int]] = []
        opened: int | None = None
        position = start
        while (found := self.raw.find(delimiter, position, end)) >= 0:
            position = found + len(delimiter)
            line_end = self.raw.find(b"\n", position, end)
            line_end = end if line_end < 0 else line_end
            trailing = self.raw[position : min(line_end, position + 80)].strip(b" \t\r")
            if trailing not in {b"", b"--"} or (found > start and self.raw[found - 1 : found] != b"\n"):
                continue
            if opened is not None:
                spans.append((opened, max(opened, self._before_line_break(found))))
            opened = min(line_end + 1, end)
            position = line_end
            if trailing == b"--":
                return spans
            if len(spans) + 1 >= self.parts_left:
                self.defects.add(f"more than {MAX_PARTS} parts")
                return [*spans, (opened, end)]
        if opened is not None:
            self.defects.add("multipart not closed")
            spans.append((opened, end))
        return spans

    def _before_line_break(self, position: int) -> int:
        """Leave out the line break before a delimiter, which belongs to the delimiter (RFC 2046)."""
        return position - (2 if self.raw[position - 2 : position] == b"\r\n" else 1)
