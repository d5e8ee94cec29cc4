"""Pages for when something is not there, not allowed or broken."""

from typing import Final

import nats.errors
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from structlog import get_logger

from deskwire_query.catalogue import NothingLives
from deskwire_query.database import AWAY as DATABASE_AWAY
from deskwire_query.live import TooManyListeners
from deskwire_query.reading.files import FileIsInfected, FileNotThere
from deskwire_query.reading.history import HistoryTooLong
from deskwire_query.reading.read_models import CustomerNotFound, InvalidCursor, TicketNotFound, UnsupportedCondition
from deskwire_query.web.access import ask_to_sign_in
from deskwire_query.web.rendering import page
from deskwire_query.web.workspace.views import UnknownView
from deskwire_shared.contracts.access import NotPermitted
from deskwire_shared.directory.port import DirectoryUnavailable
from deskwire_shared.eventstore.port import BrokenHistory, EventStoreError
from deskwire_shared.runtime.http_access import CsrfRefused, Unauthenticated
from deskwire_shared.runtime.objects import ObjectStoreUnavailable

TITLES: Final = {
    400: "This address makes no sense",
    401: "Your session has ended",
    403: "This is not yours to see",
    404: "Nothing here",
    405: "This is not how it works",
    413: "This is too large",
    422: "This address makes no sense",
    429: "Too many attempts",
    500: "Something broke",
    503: "The desk cannot do this now",
}
REFUSALS: Final[dict[type[Exception], int]] = {
    CsrfRefused: 403,
    NotPermitted: 403,
    FileIsInfected: 403,
    FileNotThere: 404,
    TicketNotFound: 404,
    CustomerNotFound: 404,
    UnknownView: 404,
    InvalidCursor: 400,
    UnsupportedCondition: 400,
    HistoryTooLong: 422,
    BrokenHistory: 500,
    TooManyListeners: 503,
}
AWAY: Final = (EventStoreError, DirectoryUnavailable, ObjectStoreUnavailable, nats.errors.Error, *DATABASE_AWAY)
"""What a part of the desk that does not answer is known by."""
READING_IN: Final = "It is reading its history in. This page looks again by itself."
NO_ANSWER: Final = "A part of it does not answer. Nothing is known to be done; try again in a moment."

log = get_logger(__name__)


def add_error_pages(app: FastAPI) -> None:
    """Give an application its error pages."""
    app.add_exception_handler(Unauthenticated, ask_to_sign_in)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(Exception, _broken)
    app.add_exception_handler(NothingLives, _not_ready)
    for refusal in REFUSALS:
        app.add_exception_handler(refusal, _refused)
    for away in AWAY:
        app.add_exception_handler(away, _away)


def error_page(request: Request, status: int, words: str, *, title: str = "") -> Response:
    """Answer with an error page."""
    context = {"status": status, "title": title or TITLES.get(status, "This did not work"), "words": words}
    return page(request, "error.html", context, status=status)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_page(request, error.status_code, str(error.detail))


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = ", ".join(str(problem["loc"][-1]) for problem in error.errors())
    return error_page(request, 422, f"Something in it cannot be read: {fields}.")


async def _refused(request: Request, error: Exception) -> Response:
    return error_page(request, REFUSALS[type(error)], f"{str(error)[:1].upper()}{str(error)[1:]}.")


async def _not_ready(request: Request, error: Exception) -> Response:
    del error
    answer = error_page(request, 503, READING_IN, title="The desk is getting ready")
    answer.headers["Refresh"] = "2"
    return answer


async def _away(request: Request, error: Exception) -> Response:
    log.warning("page not answered", path=request.url.path, error=repr(error))
    return error_page(request, 503, NO_ANSWER)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("page failed", path=request.url.path, exc_info=error)
    return error_page(request, 500, "The desk wrote down what happened. Try again; if it stays, tell whoever runs it.")
