"""Forms and chats as processes of their own: each serves itself and nothing else, and tells how it fares."""

from pathlib import Path

import httpx2
import pytest

from deskwire_intake.app import service
from deskwire_shared.contracts.channels import Channel
from deskwire_shared.runtime.health import health_router
from deskwire_shared.runtime.telemetry import metrics_router
from ticket_desk import ticket_desk

PATHS = {
    "web": "/intake/v1/forms/contact",
    "chat": "/intake/v1/chat/help",
    "api": "/intake/openapi.json",
}


@pytest.mark.parametrize("role", ["web", "chat"])
async def test_a_role_serves_its_channel_alone_and_tells_how_it_fares(
    fresh_nats: str, tmp_path: Path, role: str
) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.put("contact", Channel(name="Contact", medium="web"))
        await desk.put("help", Channel(name="Help", medium="chat"))
        await service.start(desk.runtime, role)
        desk.runtime.health.mark_started()
        desk.runtime.http.include_router(health_router(desk.runtime.health))
        desk.runtime.http.include_router(metrics_router(desk.runtime.registry))
        transport = httpx2.ASGITransport(app=desk.runtime.http)
        async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
            served = {name for name, path in PATHS.items() if (await client.get(path)).status_code == 200}
            metrics = (await client.get("/metrics")).text
            ready = (await client.get("/healthz/ready")).json()
    assert served == {role}
    assert ready["status"] == "ok"
    assert f'deskwire_intake_under_way{{channel="{role}"}} 0.0' in metrics
    if role == "web":
        assert ready["web"] == {"under_way": "0", "most": "64"}
        assert 'deskwire_intake_most_under_way{channel="web"} 64.0' in metrics
    if role == "chat":
        assert 'deskwire_intake_open_sockets{channel="chat"} 0.0' in metrics
        assert ready["chat"] == {"chats": "0", "sockets": "0"}
