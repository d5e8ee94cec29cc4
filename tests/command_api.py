"""What tests of the command API share."""

from typing import Any

import httpx2

from ticket_desk import TicketDesk

Api = tuple[TicketDesk, httpx2.AsyncClient]

OPENING: dict[str, Any] = {
    "requester": {"address": "Ann@example.net", "name": "Ann"},
    "subject": "Printer",
    "text": "It burns.",
}

MISSING = "a" * 16


async def opened(client: httpx2.AsyncClient, **changes: Any) -> str:
    """The id of a new ticket."""
    answer = await client.post("/tickets", json={**OPENING, **changes})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket_id"])


def problem_of(answer: httpx2.Response) -> tuple[int, str]:
    """The status and type of a problem that has all a problem must have."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "correlation_id"} <= set(body)
    assert body["status"] == answer.status_code
    assert answer.headers.get("x-correlation-id", body["correlation_id"]) == body["correlation_id"] != ""
    return answer.status_code, body["type"].removeprefix("urn:deskwire:problem:")
