"""Web forms as a channel: shown on the desk's own pages or on foreign ones, sent with or without scripts, once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from math import ceil
from time import perf_counter
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from structlog import get_logger

from deskwire_intake.channels.passing import passes
from deskwire_intake.channels.port import Accept, Accepted, CannotBeHandled, TicketKeepsMoving, nothing_to_keep
from deskwire_intake.channels.site_origins import OriginRefused, SiteHeaders, require_origin
from deskwire_intake.channels.visitor_tokens import VisitorToken, new_token, read_token
from deskwire_intake.channels.web.answers import Answers, read_answers
from deskwire_intake.channels.web.pages import FileLimits, FormPage
from deskwire_intake.channels.web.submissions import (
    WEB,
    Submission,
    age_problem,
    inbound_message,
    submission,
)
from deskwire_intake.figures import Figures
from deskwire_intake.rates import NoPlace, Places, RateLimit, client_of
from deskwire_intake.uploads import Uploads
from deskwire_intake.widgets import asset
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.directory.port import Directory, UnknownDocument
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.problems import Describe, answer_with_problems, plainly, problem

LONGEST_ID: Final = 64
TEXT_BYTES: Final = 256 * 1024
"""What the texts of a form and the frame around its files may take."""

log = get_logger(__name__)


class FormRefused(Exception):
    """A form is not taken; `page` shows it again with the reason, `code` names the reason for programs."""

    def __init__(self, status: HTTPStatus, code: str, page: FormPage, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(page.notice)
        self.status = status
        self.code = code
        self.page = page
        self.headers = dict(headers or {})


@dataclass(frozen=True, kw_only=True)
class WebChannel:
    """Takes forms in."""

    accept: Accept
    directory: Directory
    uploads: Uploads
    figures: Figures
    clock: Clock
    key: bytes
    limits: FileLimits
    seconds: float
    """How long the sending of one form may take."""
    per_client: RateLimit
    per_channel: RateLimit
    places: Places
    """Forms that are received at the same time."""

    def channel(self, channel_id: str) -> Channel:
        """The channel of a form. Raises UnknownDocument."""
        found = self.directory.get(Channel, channel_id)
        if found is None or found.medium != WEB or not found.active:
            raise UnknownDocument(f"there is no form {channel_id}")
        return found

    def page(self, channel_id: str) -> FormPage:
        """A form to be filled in. Raises UnknownDocument."""
        token = new_token("form", channel_id, self.clock.now(), self.key)
        return FormPage(channel_id=channel_id, channel=self.channel(channel_id), limits=self.limits, token=token)

    async def receive(self, channel_id: str, request: Request) -> FormPage:
        """Take a form in; the page of thanks. Raises UnknownDocument, OriginRefused or FormRefused."""
        started, page = perf_counter(), self.page(channel_id)
        client = client_of(request.client.host if request.client else "")
        self._within_rates(client, page)
        try:
            with self.places.hold(client):
                async with submission(request, seconds=self.seconds) as sent:
                    accepted = await self._take(sent, page)
        except (NoPlace, OSError) as error:  # it took too long, or there is no room for its files
            raise self._refusal(page, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", RETRY) from error
        self.figures.count(WEB, "repeated" if accepted.repeated else "accepted")
        self.figures.seconds.labels(WEB).observe(perf_counter() - started)
        return replace(page, number=accepted.number)

    def _within_rates(self, client: str, page: FormPage) -> None:
        wait = self.per_client.take(client) or self.per_channel.take(page.channel_id)
        if wait:
            seconds = ceil(wait)
            told = replace(page, notice=page.words.slow_down.format(seconds=seconds))
            self.figures.count(WEB, "refused")
            raise FormRefused(HTTPStatus.TOO_MANY_REQUESTS, "slow_down", told, {"Retry-After": str(seconds)})

    async def _take(self, sent: Submission, page: FormPage) -> Accepted:
        token = read_token(sent.texts.get("token", ""), "form", page.channel_id, self.key)
        page = replace(page, sent=sent.texts, token=sent.texts["token"] if token else page.token)
        self._by_a_person(sent, token, page)
        answers = self._answers(sent, page)
        assert token is not None
        try:
            files = [await self.uploads.keep(file) for file in sent.files]
            message = inbound_message(answers, files, channel_id=page.channel_id, channel=page.channel, token=token)
            return await self.accept(message, nothing_to_keep())
        except CannotBeHandled as error:
            raise self._refusal(page, HTTPStatus.FORBIDDEN, "refused") from error
        except Exception as error:
            if not passes(error):
                raise
            log.warning("form not taken at this moment", channel_id=page.channel_id, error=repr(error))
            raise self._refusal(page, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", RETRY) from error

    def _by_a_person(self, sent: Submission, token: VisitorToken | None, page: FormPage) -> None:
        """Refuse what a program sends; people who are taken for one see why, and send again."""
        if sent.is_trapped:
            raise self._refusal(page, HTTPStatus.UNPROCESSABLE_ENTITY, "trapped")
        doubt = "too_old" if token is None else age_problem(token, self.clock.now())
        if doubt == "too_old":
            page = replace(page, token=new_token("form", page.channel_id, self.clock.now(), self.key))
        if doubt is not None:
            raise self._refusal(page, HTTPStatus.UNPROCESSABLE_ENTITY, doubt)

    def _answers(self, sent: Submission, page: FormPage) -> Answers:
        answers = read_answers(sent.texts, page.form, page.words)
        problems = {**answers.problems, **self._file_problems(sent, page)}
        if problems:
            raise self._refusal(replace(page, problems=problems), HTTPStatus.UNPROCESSABLE_ENTITY, "check")
        return answers

    def _file_problems(self, sent: Submission, page: FormPage) -> dict[str, str]:
        if len(sent.files) > (self.limits.count if page.form.takes_files else 0):
            return {"files": page.words.too_many_files.format(count=self.limits.count)}
        if sent.file_bytes > self.limits.size:
            return {"files": page.words.files_too_large.format(size=self.limits.megabytes)}
        return {}

    def _refusal(
        self, page: FormPage, status: HTTPStatus, word: str, headers: Mapping[str, str] | None = None
    ) -> FormRefused:
        self.figures.count(WEB, "refused" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "deferred")
        return FormRefused(status, word, replace(page, notice=str(getattr(page.words, word))), headers)


RETRY: Final = {"Retry-After": "2"}

ERRORS: Final[dict[type[Exception], Describe]] = {
    OriginRefused: plainly(HTTPStatus.FORBIDDEN, "origin-refused", "The site may not use this form"),
    TicketKeepsMoving: plainly(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Not possible at this moment"),
    FormRefused: lambda error: problem(
        error.status,
        f"form-{error.code.replace('_', '-')}",
        "The form is not taken",
        str(error),
        headers=error.headers or None,
        fields=dict(error.page.problems),
    ),
}

router = APIRouter(tags=["forms"])


async def _of_application(request: Request) -> WebChannel:
    channel: WebChannel = request.app.state.channel
    return channel


TheChannel = Annotated[WebChannel, Depends(_of_application)]
ChannelId = Annotated[str, Path(max_length=LONGEST_ID)]


@router.get("/form.js", include_in_schema=False)
async def script() -> FileResponse:
    """Give the script that puts a form on a foreign page."""
    return asset("form.js")


@router.get("/form.css", include_in_schema=False)
async def style() -> FileResponse:
    """Give the style of forms."""
    return asset("form.css")


@router.get("/{channel_id}", response_class=Response)
async def show_form(channel_id: ChannelId, channel: TheChannel) -> Response:
    """Show a form to be filled in."""
    return channel.page(channel_id).answer()


@router.post("/{channel_id}", response_class=Response)
async def send_form(channel_id: ChannelId, request: Request, channel: TheChannel) -> Response:
    """Take a form in: HTML for people; JSON for whoever asks for that alone."""
    for_program = _is_for_program(request)
    page = channel.page(channel_id)
    require_origin(request, page.form.origins)
    try:
        thanks = await channel.receive(channel_id, request)
    except FormRefused as refused:
        if for_program:
            raise
        return refused.page.answer(refused.status, headers=refused.headers)
    except HTTPException as error:  # the body itself is not acceptable
        if for_program or error.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        too_large = page.words.files_too_large.format(size=channel.limits.megabytes)
        return replace(page, notice=too_large).answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if for_program:
        return JSONResponse({"number": thanks.number}, HTTPStatus.CREATED)
    return thanks.answer()


def _is_for_program(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def form_application(channel: WebChannel) -> FastAPI:
    """Build the application that is mounted at `/intake/v1/forms`."""
    app = FastAPI(title="Deskwire forms", docs_url=None, redoc_url=None, openapi_url=None,
                  telemetry={"auto_configure": False})  # fmt: skip
    app.state.channel = channel
    app.include_router(router)
    answer_with_problems(app, json_bytes=channel.limits.size + TEXT_BYTES, more=ERRORS)
    app.add_middleware(SiteHeaders, origins=_origins(channel.directory))
    return app


def _origins(directory: Directory) -> Callable[[str], tuple[str, ...]]:
    def origins(channel_id: str) -> tuple[str, ...]:
        found = directory.get(Channel, channel_id)
        return found.form.origins if found is not None and found.form is not None else ()

    return origins
