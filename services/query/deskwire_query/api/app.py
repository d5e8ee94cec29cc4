"""Builds the application of the read API."""

from importlib.metadata import version

from fastapi import FastAPI

from deskwire_query.api import customers, events, files, ledger, reports, tickets
from deskwire_query.api.errors import ERRORS
from deskwire_query.api.state import Parts
from deskwire_shared.runtime.problems import answer_with_problems
from deskwire_shared.runtime.telemetry import HTTP_TELEMETRY


def create_api(parts: Parts) -> FastAPI:
    """Build the application; who mounts it puts its `identity` into the state."""
    app = FastAPI(
        telemetry=HTTP_TELEMETRY,
        title="Deskwire read API",
        version=version("deskwire-query"),
        docs_url=None,
        redoc_url=None,
    )
    app.state.parts = parts
    for part in (tickets, files, customers, events, reports, ledger):
        app.include_router(part.router)
    answer_with_problems(app, more=ERRORS)
    return app
