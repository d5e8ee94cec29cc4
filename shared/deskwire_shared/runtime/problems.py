"""Errors of our HTTP surfaces as problem documents (RFC 9457): what happened, never what was sent.

Every problem has `type`, `title`, `status`, `detail` and `correlation_id`; a conflict also `since`, the
facts that came in between.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import nats.errors
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_problem.error import Problem, StatusProblem
from fastapi_problem.handler import ExceptionHandler, add_exception_handler, new_exception_handler
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from structlog import get_logger

from deskwire_shared.contracts.access import NotPermitted
from deskwire_shared.contracts.summaries import summary
from deskwire_shared.directory.port import DirectoryUnavailable, RevisionConflict, UnknownDocument
from deskwire_shared.eventstore.port import EventStoreError, Recorded
from deskwire_shared.eventstore.recorder import VersionConflict
from deskwire_shared.runtime.http_access import CsrfRefused
from deskwire_shared.runtime.http_bodies import BodyLimit, BodyTooLarge, MediaTypeRefused
from deskwire_shared.runtime.http_correlation import CorrelationId, correlation_id_of
from deskwire_shared.runtime.identity import Unauthenticated
from deskwire_shared.runtime.objects import ObjectMissing, ObjectStoreUnavailable
from deskwire_shared.runtime.secrets import WeakPassword
from deskwire_shared.ticket.refusals import Malformed, Refusal, TicketDoesNotExist, TicketIsMerged, Unknown

PROBLEM_TYPE: Final = "urn:deskwire:problem:{type}"
RETRY_AFTER_SECONDS: Final = 2
MAX_ERRORS: Final = 50
MAX_NAME: Final = 100
JSON_BYTES: Final = 1024 * 1024

Describe = Callable[[Any], Problem]
"""What an error is answered with."""

log = get_logger(__name__)


def answer_with_problems(
    app: FastAPI,
    *,
    json_bytes: int = JSON_BYTES,
    larger: Mapping[str, int] | None = None,
    more: Mapping[type[Exception], Describe] | None = None,
) -> None:
    """Let an application answer every error with a problem, and bound what it reads.

    `larger` names paths with another limit for their bodies, in bytes; `more` describes errors of its own.
    """
    descriptions = {**DESCRIPTIONS, **(more or {})}
    handler = new_exception_handler(
        unhandled_wrappers={"default": _Unexpected},
        handlers={error: _handler(describe) for error, describe in descriptions.items()},
        pre_hooks=[_log_failure],
        post_hooks=[_add_correlation_id],
        documentation_uri_template=PROBLEM_TYPE,
        http_exception_handler=_http_problem,
        request_validation_handler=_validation_problem,
    )
    add_exception_handler(app, handler)
    for error in descriptions:
        app.add_exception_handler(error, handler)
    app.add_middleware(BodyLimit, most=json_bytes, larger=larger or {})
    app.add_middleware(CorrelationId)


def problem_of(error: Exception) -> Problem:
    """The problem that an error is answered with. Raises the error when it is none we know."""
    for known, describe in DESCRIPTIONS.items():
        if isinstance(error, known):
            return describe(error)
    raise error


def problem(status: HTTPStatus, code: str, title: str, detail: str, **more: Any) -> Problem:
    """Make a problem; `code` is stable, the rest is for people."""
    return Problem(title, type_=code, status=int(status), detail=detail, **more)


class _Unexpected(StatusProblem):
    """A fault of ours: the log has it, the answer does not."""

    type_ = "unexpected"
    title = "Something went wrong"

    def __init__(self, _: str | None = None) -> None:
        super().__init__("The desk met an error of its own; it was written to the log under the correlation id.")


def _refused(error: Refusal) -> Problem:
    if isinstance(error, TicketDoesNotExist | Unknown):
        status, title = HTTPStatus.NOT_FOUND, "Not there"
    elif isinstance(error, Malformed):
        status, title = HTTPStatus.UNPROCESSABLE_ENTITY, "Not acceptable to any ticket"
    else:
        status, title = HTTPStatus.CONFLICT, "Not possible with the ticket as it is"
    more = {"into": error.into} if isinstance(error, TicketIsMerged) else {}
    return problem(status, error.code, title, str(error), **more)


def _version_conflict(error: VersionConflict) -> Problem:
    return problem(
        HTTPStatus.CONFLICT,
        "version-conflict",
        "The ticket has changed in between",
        f"The ticket is at version {error.actual}.",
        version=error.actual,
        since=[entry for recorded in error.since for entry in _since(recorded)],
    )


def _since(recorded: Recorded) -> list[dict[str, Any]]:
    commit = recorded.commit
    told = {"at": commit.at.isoformat(), "actor": commit.actor.model_dump()}
    return [{"type": fact.type, **told, "summary": summary(fact)} for fact in commit.facts]


def _unauthenticated(error: Unauthenticated) -> Problem:
    return problem(
        HTTPStatus.UNAUTHORIZED,
        "unauthenticated",
        "Nobody was recognised",
        str(error),
        headers={"WWW-Authenticate": "Bearer"},
    )


def _not_permitted(error: NotPermitted) -> Problem:
    return problem(HTTPStatus.FORBIDDEN, "not-permitted", "Not permitted", str(error), permission=error.permission)


def unavailable(_: Exception) -> Problem:
    """Say that a part of the desk does not answer."""
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        "The desk cannot do this at the moment",
        "A part of the desk does not answer. Nothing is known to be done; the same request may be sent again.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _too_large(error: BodyTooLarge) -> Problem:
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", "The body is too large", error.detail)


def plainly(status: HTTPStatus, code: str, title: str, **more: Any) -> Describe:
    """Describe an error by its own sentence."""
    return lambda error: problem(status, code, title, str(error), **more)


DESCRIPTIONS: Final[dict[type[Exception], Describe]] = {
    Refusal: _refused,
    VersionConflict: _version_conflict,
    RevisionConflict: plainly(HTTPStatus.CONFLICT, "revision-conflict", "The document has changed in between"),
    UnknownDocument: plainly(HTTPStatus.NOT_FOUND, "unknown-document", "No such document"),
    ObjectMissing: plainly(HTTPStatus.NOT_FOUND, "unknown-object", "No such file"),
    Unauthenticated: _unauthenticated,
    NotPermitted: _not_permitted,
    CsrfRefused: plainly(HTTPStatus.FORBIDDEN, "csrf-refused", "The request may be somebody else's"),
    WeakPassword: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "weak-password", "The password is not accepted"),
    MediaTypeRefused: plainly(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Not a type that is read"),
    BodyTooLarge: _too_large,
    EventStoreError: unavailable,
    DirectoryUnavailable: unavailable,
    ObjectStoreUnavailable: unavailable,
    nats.errors.Error: unavailable,
}
"""What each error is answered with; the first that fits holds."""


def _handler(describe: Describe) -> Callable[[ExceptionHandler, Request, Any], Problem]:
    return lambda _, __, error: describe(error)


def _http_problem(_: ExceptionHandler, __: Request, error: HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    code = status.name.lower().replace("_", "-")
    return problem(status, code, status.phrase, error.detail, headers=error.headers)


def _validation_problem(_: ExceptionHandler, __: Request, error: RequestValidationError) -> Problem:
    errors = [
        {
            "loc": [str(part)[:MAX_NAME] for part in found["loc"]],
            "message": found["msg"],
            "code": found["type"],
        }
        for found in error.errors()[:MAX_ERRORS]
    ]
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-request",
        "The request is not valid",
        "Some fields are missing, unknown or have values that are not accepted; see `errors`.",
        errors=errors,
    )


def _log_failure(request: Request, error: Exception) -> None:
    if _is_unexpected(request.app, error):
        log.error("request failed", path=request.url.path, error=repr(error), exc_info=error)
    elif isinstance(error, (EventStoreError, DirectoryUnavailable, ObjectStoreUnavailable, nats.errors.Error)):
        log.warning("request met a part that does not answer", path=request.url.path, error=repr(error))


def _is_unexpected(app: FastAPI, error: Exception) -> bool:
    return not any(isinstance(error, known) for known in app.exception_handlers if known is not Exception)


def _add_correlation_id(
    content: dict[str, Any], request: Request, response: JSONResponse
) -> tuple[dict[str, Any], JSONResponse]:
    content = {**content, "correlation_id": correlation_id_of(request)}
    response.body = to_json(content)
    return content, response
