"""The HTML side of our mails: plain text made HTML, agents' HTML made harmless, the page around both."""

from functools import cache
from importlib.resources import files
from typing import Final

import nh3
from css_inline import CSSInliner
from jinja2 import Environment, Template
from markupsafe import Markup, escape

from deskwire_shared.contracts.threading_tokens import REPLY_DELIMITER

URL_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "cid"})
"""`cid:` shows an image that came along; `data:` and scripts are of no use in a mail."""

_inliner: Final = CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


def html_of_text(text: str) -> Markup:
    """Write plain text as HTML paragraphs."""
    paragraphs = [paragraph.strip("\n") for paragraph in text.replace("\r\n", "\n").split("\n\n")]
    return Markup().join(
        Markup("<p>{}</p>\n").format(Markup("<br>\n").join(escape(line) for line in paragraph.split("\n")))
        for paragraph in paragraphs
        if paragraph.strip()
    )


def sanitized(html: str) -> Markup:
    """Keep of HTML what formats text and shows images that came along."""
    return Markup(nh3.clean(html, url_schemes=set(URL_SCHEMES), clean_content_tags={"script", "style", "title"}))  # noqa: S704 - cleaned here


def page(letter: Markup, *, locale: str, introduction: str = "", quoted: str = "") -> str:
    """Set a letter in the layout of our mails, the quoted text below it; styles stand at each element."""
    rendered = _layout().render(
        delimiter=REPLY_DELIMITER,
        locale=locale,
        letter=letter,
        introduction=introduction,
        quote=html_of_text(quoted),
    )
    return _inliner.inline(rendered)


@cache
def _layout() -> Template:
    source = (files("deskwire_notify.mails") / "templates" / "layout.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(source)
