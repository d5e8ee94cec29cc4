"""The command API as an application: its routes, its errors, its limits."""

from http import HTTPStatus
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, Depends, FastAPI
from fastapi_problem.error import Problem
from nats.aio.client import Client

from deskwire_intake.api import (
    calls,
    changes,
    channel_checks,
    channel_secrets,
    chat_typing,
    directory,
    files,
    macros,
    me,
    tickets,
    together,
    webhook_secrets,
)
from deskwire_intake.api.asking import IdempotencyKeyReused, UnreadablePrecondition
from deskwire_intake.api.directory import AddressIsTaken, MadeElsewhere, WouldLockOut
from deskwire_intake.api.files import InfectedUpload
from deskwire_intake.api.macros import MacroImpossible
from deskwire_intake.api.me import NotAnAgent
from deskwire_intake.api.recording import Recording, UnknownReference
from deskwire_intake.channels.imap.session import MailboxError
from deskwire_intake.ledger.entering import LedgerUnavailable
from deskwire_intake.scanning import ScannerUnavailable, TooLargeToScan
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.http_bodies import require_json
from deskwire_shared.runtime.identity import Identity
from deskwire_shared.runtime.problems import RETRY_AFTER_SECONDS, Describe, answer_with_problems, plainly, problem
from deskwire_shared.runtime.secrets import Secrets
from deskwire_shared.runtime.webhook_secrets import SecretsChanged, UnreadableSecrets

MULTIPART_BYTES: Final = 64 * 1024
"""What a form adds to the file in it."""


def _not_entered(_: Exception) -> Problem:
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        "The ledger of intake takes no entry at the moment",
        "The call may stand on its ticket. Send it again with the same Idempotency-Key: it is recorded once.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


ERRORS: Final[dict[type[Exception], Describe]] = {
    IdempotencyKeyReused: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The key was used before"),
    UnreadablePrecondition: plainly(HTTPStatus.BAD_REQUEST, "unreadable-precondition", "If-Match names no version"),
    UnknownReference: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-reference", "Something named is not there"),
    MacroImpossible: plainly(HTTPStatus.CONFLICT, "macro-impossible", "The macro cannot be used"),
    WouldLockOut: plainly(HTTPStatus.CONFLICT, "last-administrator", "The desk would have no administrator"),
    AddressIsTaken: plainly(HTTPStatus.CONFLICT, "address-is-taken", "The address is taken"),
    InfectedUpload: plainly(HTTPStatus.UNPROCESSABLE_ENTITY, "infected-file", "The file is infected"),
    TooLargeToScan: plainly(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "file-too-large", "The file is too large to scan"),
    ScannerUnavailable: plainly(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Not possible at this moment"),
    LedgerUnavailable: _not_entered,
    NotAnAgent: plainly(HTTPStatus.FORBIDDEN, "not-an-agent", "Only an agent has an availability"),
    SecretsChanged: plainly(HTTPStatus.CONFLICT, "secrets-changed", "Somebody else changed the secrets"),
    UnreadableSecrets: plainly(HTTPStatus.CONFLICT, "unreadable-secrets", "The secrets must be entered again"),
    MadeElsewhere: plainly(HTTPStatus.METHOD_NOT_ALLOWED, "made-elsewhere", "Not made in this way"),
    MailboxError: plainly(HTTPStatus.BAD_GATEWAY, "mailbox-unusable", "The mailbox cannot be fetched from"),
}


def command_api(
    recording: Recording,
    *,
    identity: Identity,
    secrets: Secrets,
    clock: Clock,
    connection: Client,
    json_bytes: int,
    attachment_bytes: int,
) -> FastAPI:
    """Build the application that is mounted at `/intake`."""
    app = FastAPI(
        title="Deskwire command API", version=version("deskwire-intake"), docs_url=None, redoc_url=None,
        telemetry={"auto_configure": False},
    )  # fmt: skip
    app.state.recording, app.state.directory = recording, recording.directory
    app.state.identity, app.state.secrets, app.state.clock = identity, secrets, clock
    app.state.connection = connection
    json_only = APIRouter(prefix="/v1", dependencies=[Depends(require_json)])
    for part in (
        tickets, changes, together, macros, calls, chat_typing, directory, channel_checks, channel_secrets,
        webhook_secrets, me,
    ):  # fmt: skip
        json_only.include_router(part.router)
    app.include_router(json_only)
    app.include_router(files.router, prefix="/v1")
    larger = {files.UPLOAD_PATH: attachment_bytes + MULTIPART_BYTES}
    answer_with_problems(app, json_bytes=json_bytes, larger=larger, more=ERRORS)
    return app
