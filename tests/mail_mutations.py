"""Changes to mails that no mail program makes: at random, and where their structure is."""

import random
import re
from collections.abc import Callable, Sequence
from email.header import Header

LARGEST = 2 * 1024 * 1024

SNIPPETS = [
    *(b"\x00", b"\xff\xfe", b"\n\n", b"\r", b"=?", b"?=", b'"', b"<", b">", b"(", b"\\", b";", b"*0*=", b"''", b"--"),
    *(b"=?utf-7?B?////?=", b"charset=utf-7", b"charset=utf-16", b"charset=zlib", b"boundary=", b"Content-Type: "),
    *(b"Content-Transfer-Encoding: base64\n", b"multipart/report", b"message/rfc822", b"Return-Path: <>\n"),
    *(b"\xd0\x9f\xd1\x80", b"\x1b$B", b"+2AA-", b"&#x0;", b"<!--", b"<![CDATA[", b"From: \n", b"\xe2\x80\xa8"),
    *(b"\xed\xa0\x80", b"=00", b"=\n", b"\xef\xbb\xbf", b"begin 644 a\n", b"\n.\n", b"\nFrom ", b"%00", b"cid:"),
]
CHARSETS = (
    *("utf-8", "us-ascii", "iso-8859-1", "windows-1252", "utf-7", "utf-16", "utf-16le", "utf-32", "iso-2022-jp", "hz"),
    *(
        "gb2312",
        "gb18030",
        "big5",
        "euc-kr",
        "shift_jis",
        "koi8-r",
        "viscii",
        "x-unknown",
        "idna",
        "punycode",
        "base64",
    ),
    *("unicode_escape", "rot13", "zlib", "ebcdic-cp-us", "utf-8\x00", "'", "", "utf-8" * 50),
)
ENCODINGS = ("7bit", "8bit", "binary", "base64", "quoted-printable", "x-uuencode", "BASE64 ", "gzip", "")
TYPES = (
    *("text/plain", "text/html", "multipart/mixed", "multipart/alternative", "multipart/report", "multipart/digest"),
    *("message/rfc822", "message/delivery-status", "message/partial", "text/calendar", "application/ms-tnef", "text"),
    *("application/pkcs7-mime", "multipart/encrypted", "multipart/signed", "application/octet-stream", "/", "a/b/c"),
)
FIELDS = (
    *("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Content-Type"),
    *("Content-Disposition", "Content-Transfer-Encoding", "Content-ID", "Return-Path", "Delivered-To", "Precedence"),
    *("Auto-Submitted", "X-Failed-Recipients", "X-Auto-Response-Suppress", "List-Id", "Received", "Bcc", "X-Spam-Flag"),
    *("Authentication-Results", "X-Priority", "Content-Language", "Sender", "Resent-From", "X-Deskwire-Loop"),
)
TOKENS = (
    b"a",
    b"(",
    b'"',
    b"<",
    b"@",
    b"=?utf-8?B?",
    b"\\",
    b",",
    b";",
    b"=",
    b" ",
    b"\xff",
    b"a@b.c,",
    b"\n ",
    b"<p>",
)
TAGS = ("div", "p", "table", "tr", "td", "font", "b", "blockquote", "svg", "math", "script", "style", "img", "a", "pre")
ATTRIBUTES = (
    *("", " onclick=alert(1)", " src=cid:x", " src=//t.example/p", " href='javascript:1'", " style='color:red'"),
    *(" class=gmail_quote", " id=divRplyFwdMsg", " type=cite", " style='background:url(x)'", " =", ' a="'),
)

SPLICED = 0.08
"""So often the end of another mail is put behind the beginning of one."""

Mutation = Callable[[bytes, random.Random], bytes]


def mutated(corpus: Sequence[bytes], chance: random.Random) -> bytes:
    """Change one of the mails a few times."""
    raw = chance.choice(corpus)
    for _ in range(chance.randint(1, 5)):
        if chance.random() < SPLICED:
            raw = _spliced(raw, chance.choice(corpus), chance)
        raw = chance.choice(MUTATIONS)(raw, chance)[:LARGEST]
    return raw


def _flip_bits(raw: bytes, chance: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(min(len(data), chance.choice((1, 1, 4, 64)))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _insert(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice(SNIPPETS) + raw[at:]


def _cut_out(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + raw[at + chance.randint(1, 200) :]


def _truncate(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _repeat_a_piece(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    piece = raw[at : at + chance.randint(1, 300)]
    return raw[:at] + piece * chance.choice((2, 2, 10, 300)) + raw[at:]


def _spliced(raw: bytes, other: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)] + other[chance.randrange(len(other)) :]


def _change_line_ends(raw: bytes, chance: random.Random) -> bytes:
    plain = raw.replace(b"\r\n", b"\n")
    if chance.random() < 0.3:
        return b"".join(line + chance.choice((b"\n", b"\r\n", b"\r")) for line in plain.split(b"\n"))
    return plain.replace(b"\n", chance.choice((b"\r\n", b"\r", b"\n\r", b"\x0b")))


def _change_fields(raw: bytes, chance: random.Random) -> bytes:
    """Drop, double, mix or refill fields of the header."""
    head, blank, body = raw.partition(b"\n\n")
    lines = head.split(b"\n")
    at = chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines[at:at] = [lines[at]] * chance.choice((1, 2, 50))
        case 2:
            chance.shuffle(lines)
        case 3:
            name, colon, _ = lines[at].partition(b":")
            lines[at] = name + colon + b" " + _hostile_value(chance)
        case _:
            lines.insert(at, chance.choice(FIELDS).encode() + b": " + _hostile_value(chance))
    return b"\n".join(lines) + blank + body


def _hostile_value(chance: random.Random) -> bytes:
    match chance.randrange(6):
        case 0:
            return chance.randbytes(chance.randint(0, 100)).replace(b"\n", b"")
        case 1:
            return b" ".join(chance.choices(SNIPPETS, k=chance.randint(1, 12)))
        case 2:
            return chance.choice(TOKENS) * chance.choice((10, 1_000, 100_000 if chance.random() < 0.05 else 100))
        case 3:
            charset, words = chance.choice(CHARSETS).encode("utf-8", "replace"), chance.randbytes(20).hex().encode()
            return b"=?" + charset + b"?" + chance.choice((b"B", b"Q", b"X")) + b"?" + words + b"?="
        case 4:
            return Header("Grüße " * chance.randint(1, 40), chance.choice(("utf-8", "iso-8859-1"))).encode().encode()
        case _:
            return b"; ".join(b"n*%d*=%s" % (chance.randrange(9), chance.choice(SNIPPETS)) for _ in range(5))


def _relabel(raw: bytes, chance: random.Random) -> bytes:
    """Say something else than is true about charset, encoding, type or boundary."""
    pattern, values = chance.choice(
        (
            (rb"charset=\S+", CHARSETS),
            (rb"(?i)transfer-encoding: *\S+", ENCODINGS),
            (rb"(?i)content-type: *[^;\s]+", TYPES),
            (rb"boundary=\"?[^\"\s]+\"?", ("x", '""', '"', "=_" * 40, "\xff", "a b", "--")),
        )
    )
    value = chance.choice(values).encode("utf-8", "replace")
    keep = re.compile(rb"^(?i:transfer-encoding: |content-type: |charset=|boundary=)")

    def said(found: re.Match[bytes]) -> bytes:
        name = keep.match(found[0])
        return (name[0] if name else b"") + value

    return re.sub(pattern, said, raw, count=chance.choice((0, 1)))


def _break_boundaries(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    marks = [at for at, line in enumerate(lines) if line.startswith(b"--")]
    if not marks:
        return raw
    at = chance.choice(marks)
    lines[at] = chance.choice((b"", lines[at] + b"--", lines[at][:-1], b" " + lines[at], lines[at] + b" x", b"--"))
    return b"\n".join(lines)


def _nest(raw: bytes, chance: random.Random) -> bytes:
    """Wrap a mail in others."""
    levels = chance.choice((1, 2, 10, 60, 300))
    if chance.random() < 0.5:
        return b"Content-Type: message/rfc822\n\n" * levels + raw
    same = chance.random() < 0.3
    marks = [b"n" if same else b"n%d" % level for level in range(levels)]
    kind = chance.choice((b"mixed", b"alternative", b"digest", b"report", b"related"))
    opened = b"".join(b"Content-Type: multipart/%s; boundary=%s\n\n--%s\n" % (kind, mark, mark) for mark in marks)
    closed = b"".join(b"\n--%s--\n" % mark for mark in reversed(marks)) if chance.random() < 0.7 else b""
    return b"From: ann@example.net\nMessage-ID: <n@example.net>\n" + opened + raw + closed


def _stretch(raw: bytes, chance: random.Random) -> bytes:
    """Make one word huge."""
    size = chance.choice((1_000, 10_000, 10_000, 100_000, 1_000_000 if chance.random() < 0.1 else 1_000))
    token = chance.choice(TOKENS)
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + token * (size // len(token)) + raw[at:]


def _soup(raw: bytes, chance: random.Random) -> bytes:
    """Put markup into the body that nobody closes."""
    tags = [
        f"<{chance.choice(('', '', '/'))}{chance.choice(TAGS)}{chance.choice(ATTRIBUTES)}>x"
        for _ in range(chance.choice((5, 50, 400)))
    ]
    head, _, body = raw.partition(b"\n\n")
    head = re.sub(rb"(?i)\ncontent-type:[^\n]*(\n[ \t][^\n]*)*", b"", head)
    return head + b"\nContent-Type: text/html; charset=utf-8\n\n" + "".join(tags).encode() + body


MUTATIONS: tuple[Mutation, ...] = (
    *(_flip_bits, _insert, _cut_out, _truncate, _repeat_a_piece, _change_line_ends, _change_fields),
    *(_change_fields, _relabel, _relabel, _break_boundaries, _nest, _stretch, _soup),
)
