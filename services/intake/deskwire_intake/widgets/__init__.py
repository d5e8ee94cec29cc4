"""What visitors see of the channels in their browsers: a form and a chat, as pages and as parts of foreign pages."""

from pathlib import Path
from typing import Final

from starlette.responses import FileResponse

FOLDER: Final = Path(__file__).parent
HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",  # any site may load a widget; whether it may use a channel is asked there
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=300",
    "X-Content-Type-Options": "nosniff",
}


def asset(name: str) -> FileResponse:
    """Answer with a file of ours."""
    return FileResponse(FOLDER / name, headers=HEADERS)


def page(name: str, *, policy: str) -> FileResponse:
    """Answer with a page of ours, under a content security policy."""
    own = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(FOLDER / name, headers=own)
