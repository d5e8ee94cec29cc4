"""Trying out from the administration whether a mailbox can be fetched from."""

from pathlib import Path

from deskwire_shared.contracts.access import ADMIN, AGENT
from intake_desk import api_desk
from processes import free_ports


async def test_a_mailbox_that_cannot_be_fetched_from_says_why(fresh_nats: str, tmp_path: Path) -> None:
    async with api_desk(fresh_nats, tmp_path, ADMIN) as (_, client):
        imap = {"host": "127.0.0.1", "port": free_ports(1)[0], "username": "post"}
        document = {"name": "Post", "medium": "email", "address": "post@x.example", "imap": imap}
        assert (await client.put("/directory/channel/post", json=document)).status_code == 200
        without = await client.post("/channels/post/check", json={})
        assert (without.status_code, without.json()["detail"]) == (502, "no password is kept for this mailbox")
        await client.put("/channels/post/secrets", json={"password": "hush hush"})
        closed = await client.post("/channels/post/check", json={})
        assert closed.status_code == 502
        assert closed.json()["type"].endswith("mailbox-unusable")
        assert "hush" not in closed.text
        assert (await client.post("/channels/nowhere/check", json={})).status_code == 404


async def test_only_an_administrator_tries_mailboxes_out(fresh_nats: str, tmp_path: Path) -> None:
    async with api_desk(fresh_nats, tmp_path, AGENT) as (_, client):
        assert (await client.post("/channels/post/check", json={})).status_code == 403
