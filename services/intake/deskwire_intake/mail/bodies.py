"""What a mail shows as its body, and what it carries as attachments."""

import hashlib
import html as markup
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from deskwire_intake.mail.enclosed import read_enclosed
from deskwire_intake.mail.headers import decode_words, one_line, read_headers, read_parameters
from deskwire_intake.mail.parsed import Attachment
from deskwire_intake.mail.tree import Part

MAX_FILENAME = 255
MAX_CONTENT_ID = 998

_CONTENT_REFERENCE = re.compile(r"cid:([^\"'\s<>)]{1,998})", re.IGNORECASE)
_BODY_TYPES = frozenset({"text/plain", "text/html"})
_EXTENSIONS = {
    "application/ms-tnef": "dat",
    "application/pdf": "pdf",
    "application/pkcs7-signature": "p7s",
    "application/zip": "zip",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "message/delivery-status": "txt",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/rfc822-headers": "txt",
}


@dataclass(frozen=True, slots=True)
class Body:
    """A piece of what is shown, in one or both of its forms."""

    text: str | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The leaves of a mail, told apart."""

    bodies: tuple[Body, ...]
    attached: tuple[Part, ...]


def read_content(root: Part, defects: set[str]) -> Content:
    """Tell the bodies of a mail from its attachments."""
    if root.children and root.content_type == "multipart/alternative":
        return _alternative([read_content(child, defects) for child in root.children])
    if root.children:
        contents = [read_content(child, defects) for child in root.children]
        return Content(
            tuple(body for content in contents for body in content.bodies),
            tuple(part for content in contents for part in content.attached),
        )
    if not _is_body(root):
        return Content((), (root,))
    text = root.text(defects)
    return Content((Body(text=text) if root.content_type == "text/plain" else Body(html=text),), ())


def _alternative(contents: list[Content]) -> Content:
    """Make one body of the forms of an alternative, which say the same: the first plain and the richest HTML one."""
    attached = tuple(part for content in contents for part in content.attached)
    plain = next((c for c in contents if any(b.text is not None and b.html is None for b in c.bodies)), None)
    rich = next((c for c in reversed(contents) if any(b.html is not None for b in c.bodies)), None)
    text = None if plain is None else "\n".join(b.text for b in plain.bodies if b.text is not None)
    html = None if rich is None else joined_html(rich.bodies)
    return Content((Body(text, html),) if plain or rich else (), attached)


def joined_html(bodies: tuple[Body, ...]) -> str | None:
    """Join what is shown into one HTML body, plain pieces too, if any piece is HTML at all."""
    if all(body.html is None for body in bodies):
        return None
    return "\n".join(
        body.html if body.html is not None else f"<pre>{markup.escape(body.text or '')}</pre>" for body in bodies
    )


def _is_body(part: Part) -> bool:
    if part.opaque or part.content_type not in _BODY_TYPES:
        return False
    disposition, parameters = read_parameters(part.headers.first("content-disposition"))
    return disposition != "attachment" and not (parameters.get("filename") or part.parameters.get("name"))


def read_attachments(parts: tuple[Part, ...], html: str | None, defects: set[str]) -> Iterator[Attachment]:
    """Read the files a mail carries; nested mails stay whole, as `.eml` files."""
    shown = {unquote(reference) for reference in _CONTENT_REFERENCE.findall(html or "")}
    for number, part in enumerate(parts, 1):
        whole = part.opaque
        content = part.raw[part.start : part.end] if whole else part.content(defects)
        content_id = one_line(part.headers.first("content-id"), MAX_CONTENT_ID).strip("<> ") or None
        yield Attachment(
            filename=_filename(part, content, number),
            content_type="message/rfc822" if whole else part.content_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            content_id=content_id,
            inline=content_id in shown,
            content=content,
            mail=read_enclosed(content) if _is_mail(part) else None,
        )


def _is_mail(part: Part) -> bool:
    return part.content_type == "message/rfc822" and not part.opaque


def _filename(part: Part, content: bytes, number: int) -> str:
    _, parameters = read_parameters(part.headers.first("content-disposition"))
    name = safe_name(parameters.get("filename") or part.parameters.get("name") or "")
    if name:
        return name
    if part.content_type == "message/rfc822":
        name = safe_name(_subject_of(content).replace("/", "-").replace("\\", "-"))
    elif part.content_type == "text/calendar":
        name = "invite"
    extension = "eml" if part.opaque else _EXTENSIONS.get(part.content_type, "bin")
    return f"{name[: MAX_FILENAME - 4] or f'attachment-{number}'}.{extension}"


def safe_name(name: str) -> str:
    """Keep the last step of a path, and no name that leads anywhere."""
    last = re.split(r"[/\\]", name)[-1]
    return one_line(last, MAX_FILENAME).strip(". ") if last.strip(". ") else ""


def _subject_of(content: bytes) -> str:
    headers, _ = read_headers(content, 0, len(content), set())
    return decode_words(headers.first("subject")[:MAX_CONTENT_ID])
