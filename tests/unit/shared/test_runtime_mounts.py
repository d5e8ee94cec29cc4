"""Applications of several services on one HTTP server."""

from types import SimpleNamespace
from typing import cast

import httpx2
import pytest
from fastapi import FastAPI

from deskwire_shared.runtime.service import Runtime


@pytest.mark.parametrize("paths", [["/", "/sla"], ["/sla", "/"]])
async def test_what_is_mounted_at_the_root_hides_no_other_application(paths: list[str]) -> None:
    http = FastAPI()
    runtime = cast("Runtime", SimpleNamespace(identity=None, http=http))
    for path in paths:
        Runtime.mount(runtime, path, an_application(path))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=http), base_url="http://desk.example") as browser:
        assert (await browser.get("/sla/where")).json() == "/sla"
        assert (await browser.get("/where")).json() == "/"


def an_application(path: str) -> FastAPI:
    app = FastAPI()

    @app.get("/where")
    async def where() -> str:
        return path

    return app
