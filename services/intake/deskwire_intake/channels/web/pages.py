"""The pages of a form: to fill in, to fill in again, and to be thanked on."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from deskwire_intake.channels.web.words import FormWords, words_for
from deskwire_intake.widgets import FOLDER
from deskwire_shared.contracts.channels import Channel, WebForm

MB: Final = 1_000_000

_environment = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileLimits:
    """How many files a form takes, and how many bytes in all."""

    count: int
    size: int

    @property
    def megabytes(self) -> int:
        """The size as people are told."""
        return self.size // MB


@dataclass(frozen=True, kw_only=True, slots=True)
class FormPage:
    """A form as it is shown: `sent` is what was written into it before, `number` that of the ticket it became."""

    channel_id: str
    channel: Channel
    limits: FileLimits
    token: str = ""
    sent: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""
    number: int | None = None

    @property
    def form(self) -> WebForm:
        """What the channel says of its form."""
        return self.channel.form or WebForm()

    @property
    def words(self) -> FormWords:
        """The words in the channel's language."""
        return words_for(self.channel.locale)

    def answer(self, status: HTTPStatus = HTTPStatus.OK, *, headers: Mapping[str, str] | None = None) -> HTMLResponse:
        """Answer with the page, which only the channel's sites may frame."""
        policy = {"Content-Security-Policy": _policy(self.form.origins)}
        return HTMLResponse(self._written(), status, headers={**HEADERS, **policy, **(headers or {})})

    def _written(self) -> str:
        form, words = self.form, self.words
        return _environment.get_template("form.html").render(
            channel_id=self.channel_id,
            form=form,
            words=words,
            title=form.title or words.title,
            introduction=form.introduction or words.introduction,
            thanks=form.thanks or words.thanks,
            token=self.token,
            sent=defaultdict(str, self.sent),
            problems=defaultdict(str, self.problems),
            notice=self.notice,
            number=self.number,
            file_count=self.limits.count,
            file_bytes=self.limits.size,
            megabytes=self.limits.megabytes,
        )


HEADERS: Final = {
    "Cache-Control": "no-store",  # a form in a cache would hand its token to many
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def _policy(origins: tuple[str, ...]) -> str:
    return "; ".join((
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        " ".join(("frame-ancestors 'self'", *origins)),
    ))  # fmt: skip
