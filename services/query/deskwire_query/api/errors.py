"""How the read side's own errors are told over HTTP (RFC 9457)."""

from http import HTTPStatus
from typing import Final

from deskwire_query.api.parameters import ViewNotFound
from deskwire_query.catalogue import NothingLives
from deskwire_query.database import AWAY
from deskwire_query.live import NotCaughtUp, TooManyListeners
from deskwire_query.reading.files import FileIsInfected, FileNotThere
from deskwire_query.reading.history import HistoryTooLong
from deskwire_query.reading.read_models import CustomerNotFound, InvalidCursor, TicketNotFound, UnsupportedCondition
from deskwire_shared.runtime.problems import Describe, plainly, problem, unavailable


def later(code: str, title: str, *, retry_after: int) -> Describe:
    """Describe an error that goes away; `retry_after` in seconds."""
    headers = {"Retry-After": str(retry_after)}
    return lambda error: problem(HTTPStatus.SERVICE_UNAVAILABLE, code, title, str(error), headers=headers)


ERRORS: Final[dict[type[Exception], Describe]] = {
    TicketNotFound: plainly(HTTPStatus.NOT_FOUND, "ticket-not-found", "No such ticket"),
    CustomerNotFound: plainly(HTTPStatus.NOT_FOUND, "customer-not-found", "No such customer"),
    ViewNotFound: plainly(HTTPStatus.NOT_FOUND, "view-not-found", "No such view"),
    InvalidCursor: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-cursor", "The cursor cannot be used"),
    UnsupportedCondition: plainly(
        HTTPStatus.UNPROCESSABLE_ENTITY, "unsupported-condition", "Tickets cannot be listed by this"
    ),
    FileNotThere: plainly(HTTPStatus.NOT_FOUND, "file-not-found", "No such file"),
    FileIsInfected: plainly(HTTPStatus.FORBIDDEN, "infected-file", "The file is infected"),
    HistoryTooLong: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "history-too-long", "The history is too long"),
    NotCaughtUp: later("not-caught-up", "The write cannot be read yet", retry_after=1),
    NothingLives: later("being-built", "The read models are being built", retry_after=5),
    **dict.fromkeys(AWAY, unavailable),
    TooManyListeners: later("too-many-listeners", "Too many event streams", retry_after=10),
}
