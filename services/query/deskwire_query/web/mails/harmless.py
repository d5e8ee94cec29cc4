"""Makes the HTML of a mail harmless: no scripts, forms, frames or remote images, few styles.

What comes out is shown in a frame of its own, whose policy forbids the same once more.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Final

import nh3

REMOTE: Final = ("http:", "https:", "//")

DROPPED_WHOLE: Final = {
    "script", "style", "title", "head", "noscript", "template", "svg", "math", "object", "iframe", "form", "textarea",
    "select", "button", "video", "audio",
}  # fmt: skip

STYLES: Final = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-radius",
    "border-right", "border-spacing", "border-style", "border-top", "border-width", "color", "direction", "font",
    "font-family", "font-size", "font-style", "font-weight", "height", "letter-spacing", "line-height",
    "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width",
    "padding", "padding-bottom", "padding-left", "padding-right", "padding-top", "table-layout", "text-align",
    "text-decoration", "text-indent", "text-transform", "vertical-align", "white-space", "width", "word-break",
}  # fmt: skip

STYLED: Final = {"style", "dir", "lang", "align", "valign", "bgcolor"}


@dataclass(frozen=True)
class HarmlessMail:
    """A mail's HTML that can be shown, and how many remote images it asked for."""

    html: str
    remote_images: int


def harmless(html: str, *, inline: Mapping[str, str], remote_images: bool = False) -> HarmlessMail:
    """Clean a mail's HTML; `inline` has the addresses of the images inside the mail by their Content-ID."""
    remote: list[str] = []

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return None if "url(" in value.lower() or "\\" in value else value
        if tag == "img" and attribute == "src":
            return _image(value.strip(), inline, remote, shown=remote_images)
        return None if value.strip().lower().startswith("data:") else value

    cleaned = _cleaner(keep, frozenset(inline.values())).clean(html)
    return HarmlessMail(cleaned, len(remote))


def _image(source: str, inline: Mapping[str, str], remote: list[str], *, shown: bool) -> str | None:
    kind = source.lower()
    if kind.startswith("cid:"):
        return inline.get(source[4:].strip("<>"))
    if kind.startswith(REMOTE):
        remote.append(source)
        return source if shown else None
    return source if kind.startswith(("data:image/png", "data:image/jpeg", "data:image/gif")) else None


def _cleaner(keep: Callable[[str, str, str], str | None], ours: frozenset[str]) -> nh3.Cleaner:
    def relative(url: str) -> str | None:
        return url if url in ours else None

    return nh3.Cleaner(
        tags=set(nh3.ALLOWED_TAGS) | {"font", "tfoot"} - DROPPED_WHOLE,
        clean_content_tags=DROPPED_WHOLE,
        attributes=_attributes(),
        attribute_filter=keep,
        filter_style_properties=STYLES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}, "img": {"loading": "lazy"}},
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        url_relative=relative,
    )


@cache
def _attributes() -> dict[str, set[str]]:
    attributes = deepcopy(nh3.ALLOWED_ATTRIBUTES)
    attributes["*"] = STYLED
    attributes["font"] = {"color", "face", "size"}
    for tag in ("table", "td", "th"):
        attributes[tag] |= {"width", "height", "cellpadding", "cellspacing", "border"}
    return attributes
