"""Builds the application that serves every page of the workspace."""

from typing import Final

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from deskwire_query.web.admin import changes, documents, ledger
from deskwire_query.web.desk import Desk
from deskwire_query.web.entrance import pages as entrance
from deskwire_query.web.errors import add_error_pages
from deskwire_query.web.live import stream
from deskwire_query.web.mails import outbox
from deskwire_query.web.rendering import STATIC
from deskwire_query.web.security import SecurityHeaders
from deskwire_query.web.ticket import attachments, why
from deskwire_query.web.ticket import pages as ticket
from deskwire_query.web.workspace import pages as workspace
from deskwire_shared.runtime.http_bodies import BodyLimit
from deskwire_shared.runtime.telemetry import HTTP_TELEMETRY

FOR_EVER: Final = "public, max-age=31536000, immutable"
FORM_BYTES: Final = 1024 * 1024
"""The largest form that is read; a calendar with every exception it may have takes less."""


class StaticAssets(StaticFiles):
    """Serves our own files; their addresses change with their content, so browsers may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        response = await super().get_response(path, scope)
        lasting = scope["query_string"].startswith(b"v=") or path.endswith(".woff2")
        response.headers["Cache-Control"] = FOR_EVER if lasting else "no-cache"
        return response


def create_pages(desk: Desk) -> FastAPI:
    """Build the application; who mounts it puts its `identity` into the state."""
    app = FastAPI(telemetry=HTTP_TELEMETRY, title="Deskwire workspace", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.desk = desk
    app.state.identity = desk.sessions
    app.state.doorkeeper = entrance.Doorkeeper()
    for part in (entrance, workspace, stream, ticket, why, attachments, outbox, ledger, changes, documents):
        app.include_router(part.router)
    app.mount("/static", StaticAssets(directory=STATIC), name="static")
    add_error_pages(app)
    app.add_middleware(BodyLimit, most=FORM_BYTES, larger={})
    app.add_middleware(SecurityHeaders)
    return app
