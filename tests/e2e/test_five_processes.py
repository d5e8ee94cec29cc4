"""The five services as five processes, on PostgreSQL and a NATS server of their own: the whole loop over SMTP and HTTP."""

import asyncio
import contextlib
import json
import re
import secrets
import smtplib
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mail_sink import MailSink
from processes import LOOPBACK, SERVICES, Desk

PATIENCE_SECONDS = 30.0
SUPPORT = "support@desk.example"
CORA = "cora@example.org"
SCOPES = "admin,reports:read,feed:internal,tickets:read,tickets:write,tickets:reply,tickets:note,tickets:assign,directory:read,directory:write"
DAY = 86_400

Json = dict[str, Any]

DIRECTORY: dict[str, Json] = {
    "team/support": {"name": "Support"},
    "channel/mail": {"name": "Mail", "medium": "email", "address": SUPPORT, "sender_name": "Support"},
    "rule/printers": {
        "name": "Printers to Support",
        "conditions": {"all": [{"field": "ticket.subject", "op": "contains", "value": "printer"}]},
        "actions": [{"do": "set_team", "team_id": "support"}, {"do": "set_priority", "priority": "high"}],
    },
    "sla_policy/standard": {
        "name": "Standard",
        "targets": [
            {"metric": "first_response", "seconds": {"high": DAY}},
            {"metric": "resolution", "seconds": {"high": 2 * DAY}},
        ],
    },
}


@dataclass(frozen=True)
class Client:
    """A program that talks to the desk's one address."""

    url: str
    token: str

    async def get(self, path: str) -> Json:
        return (await self._send("GET", path, None))[1]

    async def send(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        status, answer = await self._send(method, path, body, **headers)
        assert status < 300, answer
        return answer

    async def refused(self, method: str, path: str, body: Json | None = None, **headers: str) -> tuple[int, Json]:
        status, answer = await self._send(method, path, body, **headers)
        assert status >= 400
        return status, answer

    async def _send(self, method: str, path: str, body: Json | None, **headers: str) -> tuple[int, Json]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **named},
        )
        return await asyncio.to_thread(_answer, request)


def _answer(request: urllib.request.Request) -> tuple[int, Json]:
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.loads(refusal.read() or b"{}")


@contextlib.asynccontextmanager
async def five_processes(folder: Path, database: str, sink: MailSink) -> AsyncIterator[tuple[Desk, Client]]:
    desk = Desk(
        folder,
        {
            "DESKWIRE_DATABASE_URL": database,
            "DESKWIRE_NOTIFY_SMTP_HOST": LOOPBACK,
            "DESKWIRE_NOTIFY_SMTP_PORT": str(sink.port),
            "DESKWIRE_NOTIFY_SMTP_TLS": "none",
        },
    )
    try:
        await asyncio.to_thread(desk.start)
        token = (await asyncio.to_thread(desk.command, "token", "create", "--name", "Test", "--scopes", SCOPES)).stdout
        client = Client(desk.url, token.strip())
        for name, document in DIRECTORY.items():
            await client.send("PUT", f"/intake/v1/directory/{name}", document)
        yield desk, client
    finally:
        await asyncio.to_thread(desk.stop)


async def becomes(question: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until the answer is yes, and give it: other processes have no event to wait for."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (answer := await question()):
            await asyncio.sleep(0.05)
        return answer


async def write(desk: Desk, to: str, text: str, **headers: str) -> str:
    """Send a mail as a mail server does; its Message-ID."""
    mail = EmailMessage()
    message_id = f"<{secrets.token_hex(8)}@example.org>"
    for name, value in {"From": f"Cora <{CORA}>", "To": to, "Message-ID": message_id, **headers}.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)

    def send() -> None:
        with smtplib.SMTP(LOOPBACK, desk.ports["smtp"], timeout=20) as server:
            server.send_message(mail, CORA, [to])

    await asyncio.to_thread(send)
    return message_id


@pytest.mark.timeout(180)
async def test_a_mail_goes_through_five_services_and_its_answer_comes_back(tmp_path: Path, fresh_postgres: str) -> None:
    sink = MailSink()
    async with sink.open(), five_processes(tmp_path, fresh_postgres, sink) as (desk, client):
        agent = await client.send(
            "POST", "/intake/v1/agents",
            {"name": "Ada", "email": "ada@desk.example", "password": secrets.token_urlsafe(16), "team_ids": ["support"]},
        )  # fmt: skip

        question = await write(desk, SUPPORT, "It burns.", Subject="The printer is on fire")

        async def routed() -> Json | None:
            found = (await client.get("/v1/tickets"))["items"]
            return found[0] if found and found[0]["assignee_id"] and found[0]["clocks"] else None

        ticket = await becomes(routed)
        assert (ticket["subject"], ticket["status"], ticket["priority"]) == ("The printer is on fire", "new", "high")
        assert (ticket["team_id"], ticket["assignee_id"]) == ("support", agent["id"])
        assert {clock["metric"] for clock in ticket["clocks"]} == {"first_response", "resolution"}

        async def acknowledged() -> EmailMessage | None:
            return sink.mails[0] if sink.mails else None

        acknowledgement = await becomes(acknowledged)
        assert CORA in acknowledgement["To"]
        assert acknowledgement["Auto-Submitted"] == "auto-replied"

        key = secrets.token_hex(8)
        answer = {"text": "Please use the extinguisher.", "status": "pending"}
        replies = f"/intake/v1/tickets/{ticket['id']}/replies"
        done = await client.send("POST", replies, answer, Idempotency_Key=key)
        again = await client.send("POST", replies, answer, Idempotency_Key=key)
        assert again["sequence"] == done["sequence"]
        read = await client.get(f"/v1/tickets/{ticket['id']}?after={done['sequence']}")
        assert read["status"] == "pending"

        async def answered() -> EmailMessage | None:
            return next((mail for mail in sink.mails if "extinguisher" in mail.as_string()), None)

        reply = await becomes(answered)
        assert question in reply["In-Reply-To"] + reply["References"]
        assert re.search(r"support\+\S+@desk\.example", reply["Reply-To"])

        await write(
            desk, reply["Reply-To"].rpartition("<")[2].rstrip(">"), "It is out, thank you!",
            Subject=f"Re: {reply['Subject']}", In_Reply_To=reply["Message-ID"],
        )  # fmt: skip

        async def reopened() -> Json | None:
            found = await client.get(f"/v1/tickets/{ticket['number']}")
            return found if found["status"] == "open" and found["message_count"] == 3 else None

        assert (await becomes(reopened))["id"] == ticket["id"]
        assert len((await client.get("/v1/tickets"))["items"]) == 1
        assert (await client.get("/v1/search?q=extinguisher"))["items"][0]["ticket"]["id"] == ticket["id"]

        async def noted() -> bool:
            commits = (await client.get("/v1/events"))["items"]
            told = [fact["type"] for commit in commits for fact in commit["facts"]]
            return {"ticket.reply_delivered.v1", "ticket.sla_met.v1", "ticket.acknowledged.v1"} <= set(told)

        await becomes(noted)
        assert len([mail for mail in sink.mails if "extinguisher" in mail.as_string()]) == 1
        for service in ("routing", "sla"):
            status, _ = await client.refused("POST", f"/{service}/v1/rehearsals", {})
            assert status == 422, f"the rehearsals of {service} are not served at the desk's one address"
        verified = await asyncio.to_thread(desk.command, "verify", check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        examined = await asyncio.to_thread(desk.command, "doctor", check=False)
        assert examined.returncode == 0, examined.stdout


@pytest.mark.timeout(180)
async def test_two_who_change_one_ticket_at_once_are_both_kept_or_told(tmp_path: Path, fresh_postgres: str) -> None:
    sink = MailSink()
    async with sink.open(), five_processes(tmp_path, fresh_postgres, sink) as (_, client):
        opening = {"requester": {"address": CORA}, "subject": "Invoice", "text": "Please send it.", "channel": "phone"}
        opened = await client.send("POST", "/intake/v1/tickets", opening)
        notes = f"/intake/v1/tickets/{opened['ticket_id']}/notes"

        both = await asyncio.gather(*(client.send("POST", notes, {"text": f"From {name}."}) for name in ("Ada", "Ben")))
        last = max(done["sequence"] for done in both)
        timeline = await client.get(f"/v1/tickets/{opened['ticket_id']}/timeline?after={last}")
        assert {"From Ada.", "From Ben."} <= set(re.findall(r"From \w+\.", json.dumps(timeline)))

        status, problem = await client.refused("POST", notes, {"text": "On an old version."}, If_Match='"1"')
        assert status in {409, 412}
        assert "ticket.note_added.v1" in json.dumps(problem)


@pytest.mark.timeout(180)
async def test_every_process_tells_its_health_and_its_figures(tmp_path: Path, fresh_postgres: str) -> None:
    sink = MailSink()
    async with sink.open(), five_processes(tmp_path, fresh_postgres, sink) as (desk, _):
        for name in SERVICES:
            for path, expected in (
                ("healthz/live", '"ok"'),
                ("healthz/ready", '"ok"'),
                ("metrics", "process_cpu_seconds"),
            ):
                url = f"http://{LOOPBACK}:{desk.ports[name]}/{path}"
                assert expected in await asyncio.to_thread(_text, url)


def _text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())
