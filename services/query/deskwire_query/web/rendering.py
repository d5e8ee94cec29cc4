"""Renders templates: one environment, the filters in domain words, and what every page knows."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2_fragments import render_block
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from deskwire_query.web import phrases
from deskwire_query.web.clocks import most_pressing, read_clock
from deskwire_query.web.mails.marks import enclosed_words
from deskwire_shared.contracts.facts import Priority

STATIC: Final = Path(__file__).parent / "static"
PART: Final = "Deskwire-Part"
"""The request header by which our own script asks for one part of a page."""
THEMES: Final = ("light", "dark")
THEME_COOKIE: Final = "deskwire_theme"
MACROS: Final = ("icon", "avatar", "status_chip", "priority_mark", "time", "clock", "key")
"""What `macros.html` draws, known to every template."""
KEYS_COOKIE: Final = "deskwire_keys"

BEFORE_MARK: Final = 16
"""How many characters of a snippet stand before its first match: lists are narrow."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LAST: Final = 2**53 - 1
"""Later than any moment, and the largest number that scripts know exactly."""
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)

_LINK = re.compile(r"\bhttps?://[^\s<>\"']{1,2000}[^\s<>\"'.,:;!?)\]]")


@cache
def environment() -> Environment:
    """Build the template environment."""
    built = Environment(
        loader=PackageLoader("deskwire_query.web", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    built.filters |= {
        "ago": phrases.ago, "size": phrases.size, "initials": phrases.initials, "label": phrases.label,
        "hue": phrases.hue, "span": phrases.span, "amount": phrases.amount, "week": phrases.week, "iso": iso,
        "linked": linked, "enclosed": enclosed_words,
        "micro": micro, "rank": PRIORITIES.index,
    }  # fmt: skip
    built.globals |= {
        "static": static_url,
        "module_map": module_map,
        "most_pressing": most_pressing,
        "read_clock": read_clock,
    }
    macros = built.get_template("macros.html").module
    built.globals |= {name: getattr(macros, name) for name in MACROS}
    return built


def page(
    request: Request,
    template: str,
    context: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Answer with a page, or with the one part of it that was asked for."""
    known = {
        "nonce": request.state.nonce,
        "theme": _theme(request),
        "single_keys": request.cookies.get(KEYS_COOKIE) != "off",
        **context,
    }
    part = request.headers.get(PART)
    found = environment().get_template(template)
    if part is not None and part in found.blocks:
        return HTMLResponse(render_block(environment(), template, part, **known), status, headers)
    return HTMLResponse(found.render(known), status, headers)


def _theme(request: Request) -> str:
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


@cache
def static_url(name: str) -> str:
    """Give the address of a static file; it changes with the content, so browsers may keep it for ever."""
    return f"/static/{name}?v={sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


@cache
def module_map() -> str:
    """Write the import map by which our scripts find each other under addresses that change with their content."""
    names = sorted(f"js/{path.name}" for path in (STATIC / "js").glob("*.js"))
    return json.dumps({"imports": {f"/static/{name}": static_url(name) for name in names}})


def iso(moment: datetime) -> str:
    """Write a moment as browsers read it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def micro(moment: datetime | None) -> int:
    """Write a moment as a number to sort by, exact to the microsecond; what has none comes last."""
    return LAST if moment is None else (moment - EPOCH) // MICROSECOND


def marked(text: str, marks: Sequence[tuple[int, int]]) -> Markup:
    """Escape text and mark what matched in it; it begins a little before the first match."""
    end = max(0, marks[0][0] - BEFORE_MARK) if marks else 0
    parts = ["…" if end else ""]
    for start, stop in marks:
        parts += [str(escape(text[end:start])), f"<mark>{escape(text[start:stop])}</mark>"]
        end = stop
    return Markup("".join([*parts, str(escape(text[end:]))]))  # noqa: S704  # every part is escaped above


def linked(text: str) -> Markup:
    """Escape text and make its web addresses links."""
    parts: list[str] = []
    end = 0
    for found in _LINK.finditer(text):
        address = escape(found[0])
        link = f'<a href="{address}" target="_blank" rel="noopener noreferrer nofollow">{address}</a>'
        parts += [str(escape(text[end : found.start()])), link]
        end = found.end()
    return Markup("".join([*parts, str(escape(text[end:]))]))  # noqa: S704  # every part is escaped above
