"""From bytes to text, whatever the sender claims about their charset."""

import codecs
import re
from functools import lru_cache

import charset_normalizer

GUESS_SAMPLE = 4096  # bytes: a guess costs milliseconds, so it looks at the beginning only
TOLERATED_DAMAGE = 20  # one undecodable character in so many still proves the declared charset
FOREIGN_SHARE = 2  # more than one accented letter in so many is no Western text

# What senders call by a smaller name than they use (as in the WHATWG Encoding Standard).
_SUPERSETS = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# Names in use that Python does not know.
_ALIASES = {
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-8-i": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
}
# Codecs that are no charsets; some of them need quadratic time.
_NOT_CHARSETS = frozenset({"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
_CHARSET_NAME = re.compile(r"[A-Za-z0-9_.:+-]{1,40}\Z")


def decode(data: bytes, declared: str | None, *, guess: bool = True) -> tuple[str, str | None]:
    """Decode by what is declared, then UTF-8, then cp1252, then a guess; the second value names a defect."""
    codec = codec_of(declared)
    text, defect = None, None
    if codec is not None:
        text, defect = _decode_declared(data, codec)
    elif declared:
        defect = f"charset unknown: {ascii(declared)[1:-1][:40]}"
    if text is None:
        text = _strictly(data, "utf-8")
    if text is None:
        text = _undeclared(data, guess=guess)
    return _clean(text), defect


@lru_cache(maxsize=256)
def codec_of(charset: str | None) -> str | None:
    """Name the codec for a charset as mails spell it; none when there is no such charset."""
    if charset is None or not _CHARSET_NAME.match(charset):
        return None
    try:
        codec = codecs.lookup(_ALIASES.get(charset.lower(), charset))
        b"?".decode(codec.name, "replace")
    except (LookupError, UnicodeError):  # unknown, or a codec like base64 that does not make text
        return None
    if codec.name.replace("_", "-") in _NOT_CHARSETS:
        return None
    return _SUPERSETS.get(codec.name, codec.name)


def _decode_declared(data: bytes, codec: str) -> tuple[str | None, str | None]:
    text = _strictly(data, codec)
    utf8 = text if codec == "utf-8" else None
    if text is None or codec == "cp1252":  # cp1252 is declared by habit, and UTF-8 shows itself
        utf8 = _strictly(data, "utf-8")
    if text is not None:
        return (text if utf8 is None else utf8), None
    if utf8 is None and codec != "ascii":
        text = data.decode(codec, "replace")
        if text.count("\ufffd") * TOLERATED_DAMAGE <= len(text):
            return text, "text damaged for its charset"
    return utf8, f"charset wrong: {codec}"


def _undeclared(data: bytes, *, guess: bool) -> str:
    western = _strictly(data, "cp1252")
    if western is not None and (not guess or _reads_as_western(western)):
        return western
    best = charset_normalizer.from_bytes(data[:GUESS_SAMPLE]).best() if guess else None
    return data.decode(best.encoding if best else "cp1252", "replace")


def _reads_as_western(text: str) -> bool:
    """Tell Western text from another alphabet read as cp1252, which is nearly all accented letters."""
    sample = text[:GUESS_SAMPLE]
    letters = sum(map(str.isalpha, sample))
    accented = sum(1 for character in sample if not character.isascii())
    return accented * FOREIGN_SHARE <= letters


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeError:
        return None


def _clean(text: str) -> str:
    """Drop NUL and halves of surrogate pairs, which neither SQL nor JSON can hold."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
