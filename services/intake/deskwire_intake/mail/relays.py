"""What servers on a mail's way wrote above it: who vouches for its sender (RFC 8601), and whether it is spam.

Anybody can write such fields. Who believes which of them is decided elsewhere.
"""

import re
from collections.abc import Iterator

from deskwire_intake.mail.headers import Headers, one_line
from deskwire_intake.mail.parsed import AuthenticationResults, MethodResult

MAX_FIELDS = 20
MAX_FIELD = 2_000
MAX_RESULTS = 50
MAX_PROPERTIES = 20
MAX_HOPS = 30
MAX_NESTED_COMMENTS = 5
SPAM_LEVEL = 5
"""From this spam confidence level on, Exchange takes a mail for spam."""

_PAIR = re.compile(
    r"([a-z0-9_.-]{1,60})(?:/\d{1,3})?\s{0,9}=\s{0,9}(\"(?:[^\"\\]|\\.){0,1000}\"|[^\s;\"]{1,1000})|(;)", re.IGNORECASE
)
_COMMENT = re.compile(r"\((?:[^()\\]|\\.){0,500}\)")
_BY = re.compile(r"\bby\s{1,9}([a-z0-9.-]{1,255})", re.IGNORECASE)
_LEVEL = re.compile(r"\bSCL:(-?\d{1,2})\b", re.IGNORECASE)
_VERDICT = re.compile(r"\bSFV:SPM\b", re.IGNORECASE)
_YES = re.compile(r"(?:yes|true|spam)\b", re.IGNORECASE)
_YES_OR_NO_FIELDS = ("x-spam-flag", "x-spam-status", "x-spam")


def read_authentication_results(headers: Headers) -> tuple[AuthenticationResults, ...]:
    """Read the fields `Authentication-Results`, the latest server's first; what is malformed is passed over."""
    fields = headers.all("authentication-results")[:MAX_FIELDS]
    return tuple(_results(without_comments(field[:MAX_FIELD])) for field in fields)


def _results(field: str) -> AuthenticationResults:
    """Read one field; Exchange leaves the name of the server out."""
    name, _, rest = field.partition(";")
    named = "=" not in name
    relay = name.split()[0].strip('"').lower() if named and name.split() else ""
    return AuthenticationResults(one_line(relay, 255), tuple(_each_result(rest if named else field)))


def _each_result(text: str) -> Iterator[MethodResult]:
    pairs: list[tuple[str, str]] = []
    for count, found in enumerate(_PAIR.finditer(text)):
        if found[3] is None:
            pairs.append((found[1].lower(), one_line(found[2].strip('"'), 255).lower()))
        elif pairs:
            yield _result(pairs)
            pairs = []
        if count >= MAX_RESULTS * MAX_PROPERTIES:
            return
    if pairs:
        yield _result(pairs)


def _result(pairs: list[tuple[str, str]]) -> MethodResult:
    (method, result), *properties = pairs
    return MethodResult(method, result, tuple(properties[:MAX_PROPERTIES]))


def without_comments(text: str) -> str:
    """Leave out comments in parentheses, which may be nested a little."""
    for _ in range(MAX_NESTED_COMMENTS):
        text, removed = _COMMENT.subn(" ", text)
        if not removed:
            break
    return text


def read_hops(headers: Headers) -> tuple[str, ...]:
    """Name the servers that say they received the mail, the latest first."""
    fields = (field[:MAX_FIELD] for field in headers.all("received")[:MAX_HOPS])
    found = (_BY.search(field) for field in fields)
    return tuple(hop[1].lower() for hop in found if hop)


def read_spam_signs(headers: Headers) -> tuple[str, ...]:
    """List the fields by which a server took the mail for spam."""
    signs = [name for name in _YES_OR_NO_FIELDS if _YES.match(headers.first(name).strip())]
    level = headers.first("x-ms-exchange-organization-scl").strip()
    if re.fullmatch(r"\d{1,2}", level) and int(level) >= SPAM_LEVEL:
        signs.append("x-ms-exchange-organization-scl")
    report = headers.first("x-forefront-antispam-report")[:MAX_FIELD]
    reported = _LEVEL.search(report)
    if (reported and int(reported[1]) >= SPAM_LEVEL) or _VERDICT.search(report):
        signs.append("x-forefront-antispam-report")
    return tuple(signs)
