"""The commands on a running desk: people, tokens, the log, what is parked, what is wrong, and something to look at."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest

from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.facts import Address
from deskwire_shared.contracts.ids import new_id
from deskwire_shared.contracts.subjects import NUMBER_SUBJECT, NUMBERS, ticket_subject
from deskwire_shared.eventstore.recorder import Cause, Recorder
from deskwire_shared.runtime.clock import SystemClock
from deskwire_shared.runtime.data_directory import find_running
from deskwire_shared.runtime.desk import open_desk
from deskwire_shared.runtime.parking import ParkingLot, list_parked
from deskwire_shared.runtime.settings import CommonSettings
from deskwire_shared.ticket.commands import AddNote, ChangeStatus, OpenTicket
from processes import DESKWIRE, LOOPBACK, free_ports

SECONDS = 60.0
HEED_INTERRUPTS = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)
INTERRUPTIBLE = (sys.executable, "-c", HEED_INTERRUPTS)
"""Runs a program that heeds Ctrl-C, even where the tests run in the background of a shell, which ignores it."""

PASSWORD = "correct horse battery"
ADA = Actor(kind="agent", id="ada")
SUBJECT = "The printer in the corner of the second floor is on fire, and nobody knows where the extinguisher is kept"


class Desk:
    """A running `deskwire up` and the commands for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http, self.smtp = free_ports(2)
        self.process = subprocess.Popen(
            [DESKWIRE, "up"], env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        while "Stop" not in (line := self.process.stdout.readline()):
            assert line, "deskwire up ended"

    def environment(self, **settings: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DESKWIRE_")}
        return inherited | {
            "DESKWIRE_DATA_DIR": str(self.folder),
            "DESKWIRE_HTTP_PORT": str(self.http),
            "DESKWIRE_SMTP_PORT": str(self.smtp),
            "DESKWIRE_NATS_PORT": "0",
            **settings,
        }

    def run(self, *words: str, typed: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [DESKWIRE, *words], env=self.environment(**settings), input=typed, capture_output=True, text=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip

    def says(self, *words: str, typed: str = "") -> str:
        done = self.run(*words, typed=typed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add_agent(self, email: str, *words: str) -> str:
        return self.says(
            "user", "add", email, "--name", "Ada Lovelace", "--password-stdin", *words, typed=f"{PASSWORD}\n"
        )

    @property
    def settings(self) -> CommonSettings:
        running = find_running(self.folder)
        assert running is not None
        return CommonSettings(data_dir=self.folder).with_nats(running.nats_url, running.nats_system_url)

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    running = Desk(tmp_path_factory.mktemp("desk"))
    try:
        yield running
    finally:
        running.close()


async def a_ticket(desk: Desk, subject: str = SUBJECT) -> tuple[str, int]:
    async with open_desk(desk.settings) as opened:
        ticket_id = new_id()
        body = json.dumps({"ticket_id": ticket_id}).encode()
        number = (await opened.js.publish(NUMBER_SUBJECT, body, stream=NUMBERS)).seq
        recorder = Recorder(opened.store)
        opening = OpenTicket(
            number=number, requester_id=new_id(), message_id=new_id(), channel="phone", subject=subject,
            author=Address(address="cora@example.org", name="Cora"), text="It burns.\x1b[31m",
        )  # fmt: skip
        first = await recorder.record(ticket_id, opening, Cause(new_id(), ADA, opened.clock.now()))
        assert first.recorded is not None
        why = Cause(new_id(), ADA, opened.clock.now(), causation_id=first.recorded.commit.commit_id)
        await recorder.record(ticket_id, ChangeStatus(status="open"), why)
        note = AddNote(message_id=new_id(), agent_id="ada", text="Called the fire brigade.")
        await recorder.record(ticket_id, note, Cause(new_id(), ADA, opened.clock.now()))
        return ticket_id, number


def test_an_agent_can_be_added_and_listed(desk: Desk) -> None:
    assert "added grace@example.org (lead)" in desk.add_agent("grace@example.org", "--role", "lead")
    (line,) = [line for line in desk.says("user", "list").splitlines() if "grace@" in line]
    email, name, role, _teams, active, agent_id = line.split("\t")
    assert (email, name, role, active) == ("grace@example.org", "Ada Lovelace", "lead", "yes")
    assert re.fullmatch(r"[a-z2-7]{16}", agent_id)


def test_an_address_belongs_to_one_agent(desk: Desk) -> None:
    desk.add_agent("only@example.org")
    again = desk.run("user", "add", "ONLY@example.org", "--name", "X", "--password-stdin", typed=f"{PASSWORD}\n")
    assert again.returncode == 1
    assert "there is an agent with the address ONLY@example.org already" in again.stderr


@pytest.mark.parametrize(
    ("email", "words", "typed", "reason"),
    [
        ("short@example.org", (), "short\n", "a password has 10 to 200 characters"),
        ("no address", (), f"{PASSWORD}\n", "no address is no mail address"),
        ("team@example.org", ("--team", "Nowhere"), f"{PASSWORD}\n", "there is no team Nowhere"),
    ],
)
def test_what_an_agent_cannot_be_is_told(
    desk: Desk, email: str, words: tuple[str, ...], typed: str, reason: str
) -> None:
    refused = desk.run("user", "add", email, "--name", "X", "--password-stdin", *words, typed=typed)
    assert refused.returncode == 1
    assert reason in refused.stderr
    assert email not in desk.says("user", "list")


def test_a_disabled_agent_is_listed_as_such_and_known_no_more(desk: Desk) -> None:
    desk.add_agent("leaving@example.org")
    desk.says("user", "disable", "leaving@example.org")
    (line,) = [line for line in desk.says("user", "list").splitlines() if "leaving@" in line]
    assert line.split("\t")[4] == "no"
    assert desk.run("user", "disable", "leaving@example.org").returncode == 1


async def test_a_disabled_agent_is_let_in_again(desk: Desk) -> None:
    desk.add_agent("back@example.org")
    assert "back@example.org can sign in already" in desk.run("user", "enable", "back@example.org").stderr
    desk.says("user", "disable", "back@example.org")
    desk.says("user", "enable", "back@example.org")
    async with open_desk(desk.settings) as opened:
        await opened.identity.sign_in("back@example.org", PASSWORD)
    assert "there is no agent" in desk.run("user", "enable", "nobody@example.org").stderr


def test_the_last_administrator_stays(desk: Desk) -> None:
    desk.add_agent("first-admin@example.org", "--role", "admin")
    refused = desk.run("user", "disable", "first-admin@example.org")
    assert refused.returncode == 1
    assert "first-admin@example.org is the last active administrator" in refused.stderr
    desk.add_agent("second-admin@example.org", "--role", "admin")
    desk.says("user", "disable", "second-admin@example.org")


async def test_a_new_password_takes_the_place_of_the_old_one(desk: Desk) -> None:
    desk.add_agent("forgetful@example.org")
    desk.says("user", "password", "forgetful@example.org", "--password-stdin", typed="another password\n")
    async with open_desk(desk.settings) as opened:
        found = opened.identity.find_agent("forgetful@example.org")
        assert found is not None
        assert await opened.secrets.check_password(found[0], "another password")
        assert not await opened.secrets.check_password(found[0], PASSWORD)


async def test_a_token_opens_what_its_scopes_say_until_it_is_revoked(desk: Desk) -> None:
    token = desk.says("token", "create", "--name", "Shop", "--scopes", "tickets:read, reports:read").strip()
    assert status_of(f"http://{LOOPBACK}:{desk.http}/v1/tickets", token) == 200
    async with open_desk(desk.settings) as opened:
        principal = await opened.identity.by_token(token)
        assert principal.name == "Shop"
        assert set(principal.permissions) == {"tickets:read", "reports:read"}
    listed = desk.says("token", "list")
    assert token not in listed
    assert "tickets:read, reports:read" in listed
    assert f"deskwire: there is no token {principal.id}x" in desk.run("token", "revoke", f"{principal.id}x").stderr
    assert "token Shop is revoked" in desk.says("token", "revoke", principal.id)
    assert status_of(f"http://{LOOPBACK}:{desk.http}/v1/tickets", token) == 401


def test_a_scope_that_does_not_exist_is_told(desk: Desk) -> None:
    refused = desk.run("token", "create", "--name", "Shop", "--scopes", "tickets:read,world:rule")
    assert refused.returncode == 2
    assert "no such scope: world:rule" in refused.stderr


async def test_the_tail_tells_what_happened_in_words(desk: Desk) -> None:
    ticket_id, number = await a_ticket(desk)
    lines = tail(desk, "--since", "1m", "--ticket", str(number), lines=3)
    assert f"#{number} " in lines[0]
    assert f"Cora opened it: {SUBJECT[:60]}" in lines[0]
    assert "status new → open" in lines[1]
    assert "Called the fire brigade." in lines[2]
    assert tail(desk, "--since", "1m", "--ticket", ticket_id, lines=3) == lines


async def test_the_tail_gives_json_to_programs(desk: Desk) -> None:
    ticket_id, number = await a_ticket(desk)
    first, *_ = tail(desk, "--since", "1m", "--ticket", ticket_id, "--json", lines=3)
    commit = json.loads(first)
    assert (commit["number"], commit["ticket_id"], commit["version"]) == (number, ticket_id, 1)
    assert commit["facts"][0]["subject"] == SUBJECT
    again, *_ = tail(desk, "--since", str(commit["sequence"]), "--ticket", ticket_id, "--json", lines=3)
    assert again == first


async def test_nothing_that_a_customer_wrote_can_steer_the_terminal(desk: Desk) -> None:
    _, number = await a_ticket(desk, subject="Help \x1b]0;owned\x07 me")
    assert "\x1b" not in "".join(tail(desk, "--since", "1m", "--ticket", str(number), lines=3))
    assert "\x1b" not in desk.says("explain", str(number))


async def test_explain_shows_each_change_below_its_cause(desk: Desk) -> None:
    ticket_id, number = await a_ticket(desk)
    explained = desk.says("explain", f"#{number}")
    assert explained == desk.says("explain", ticket_id)
    (opened,) = [line for line in explained.splitlines() if "opened it" in line]
    (changed,) = [line for line in explained.splitlines() if "new → open" in line]
    (noted,) = [line for line in explained.splitlines() if "fire brigade" in line]
    assert indentation(changed) > indentation(opened) == indentation(noted)
    assert SUBJECT[:60] in opened


@pytest.mark.parametrize("asked", ["999999", "0", "-1", "nonsense", "aaaaaaaaaaaaaaaa", "99999999999999999999"])
def test_a_ticket_that_does_not_exist_is_told(desk: Desk, asked: str) -> None:
    refused = desk.run("explain", "--", asked)
    assert (refused.returncode, refused.stderr) == (1, f"deskwire: there is no ticket {asked}\n")


async def test_what_is_parked_can_be_shown_replayed_and_dismissed(desk: Desk) -> None:
    ticket_id, _ = await a_ticket(desk)
    async with open_desk(desk.settings) as opened:
        parking = ParkingLot(opened.js, SystemClock(), "routing")
        commit = (await opened.js.get_last_msg("TICKETS", ticket_subject(ticket_id))).data or b""
        handled = await parking.park(ticket_subject(ticket_id), commit, {}, reason="RuntimeError('it rained')")
        strange = await parking.park(ticket_subject(ticket_id), b"no commit", {}, reason="BrokenHistory()")
    shown = desk.says("parked", "show", str(handled))
    assert "it rained" in shown
    assert ticket_subject(ticket_id) in shown
    assert f"{handled}: handled" in desk.says("parked", "replay", str(handled))
    failed = desk.run("parked", "replay", str(strange))
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"{strange}: ")
    assert str(strange) in desk.says("parked", "list", "--service", "routing")
    assert f"{strange}: dismissed" in desk.says("parked", "dismiss", str(strange))
    async with open_desk(desk.settings) as opened:
        assert not {handled, strange} & {one.number for one in await list_parked(opened.js)}
    gone = desk.run("parked", "show", str(strange))
    assert gone.stderr == f"deskwire: nothing is parked under {strange}\n"


async def test_a_parked_mail_is_taken_in_once_more_or_stays_parked_once(desk: Desk) -> None:
    async with open_desk(desk.settings) as opened:
        number = await ParkingLot(opened.js, SystemClock(), "intake").park("raw/no/mail", b"", {}, reason="unknown")
        failed = desk.run("parked", "replay", str(number))
        assert failed.returncode == 1
        assert [one.number for one in await list_parked(opened.js) if one.service == "intake"] == [number]
    desk.says("parked", "dismiss", str(number))


def test_numbers_or_everything_must_be_given(desk: Desk) -> None:
    for words in (("replay",), ("replay", "1", "--all"), ("dismiss",)):
        assert desk.run("parked", *words).returncode == 2


async def test_what_was_parked_by_a_service_that_does_not_run_is_told(desk: Desk) -> None:
    async with open_desk(desk.settings) as opened:
        number = await ParkingLot(opened.js, SystemClock(), "chat").park("chat/1", b"", {}, reason="unknown")
    assert desk.run("parked", "replay", str(number)).stderr == f"{number}: no chat runs that could handle it\n"
    desk.says("parked", "dismiss", str(number))


def test_the_doctor_finds_a_healthy_desk_healthy(desk: Desk) -> None:
    found = desk.run("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(found.stdout)}
    assert [finding for finding in findings.values() if not finding["ok"]] == []
    assert found.returncode == 0
    assert {"data folder", "NATS server", "clock", "durability", "stream TICKETS", "consumer sla"} <= set(findings)
    assert {"object store", "database", "outgoing mail"} <= set(findings)


def test_commands_know_where_the_running_desk_is_reached(desk: Desk) -> None:
    findings = json.loads(desk.run("doctor", "--json", DESKWIRE_HTTP_PORT="1").stdout)
    (outbox,) = [finding["found"] for finding in findings if finding["name"] == "outgoing mail"]
    assert f"http://127.0.0.1:{desk.http}/outbox" in outbox


async def test_the_doctor_says_how_to_mend_what_is_wrong(desk: Desk) -> None:
    connection = await nats.connect(desk.settings.nats_url.get_secret_value() if desk.settings.nats_url else "")
    await connection.jetstream().delete_consumer("TIMERS", "notify-timers")
    try:
        found = desk.run(
            "doctor", DESKWIRE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing",
            DESKWIRE_NOTIFY_SMTP_HOST=LOOPBACK, DESKWIRE_NOTIFY_SMTP_PORT="1",
        )  # fmt: skip
    finally:
        desk.says("migrate")
        await connection.close()
    assert found.returncode == 1
    lines = found.stdout.splitlines()
    for wrong, mend in (
        ("✘ consumer notify-timers", "run `deskwire migrate`"),
        ("✘ database", "DESKWIRE_DATABASE_URL"),
        ("✘ outgoing mail", "DESKWIRE_NOTIFY_SMTP_"),
    ):
        (index,) = [number for number, line in enumerate(lines) if line.startswith(wrong)]
        assert mend in lines[index + 1]


def test_the_doctor_says_which_services_do_not_run_and_asks_for_no_folder_that_none_needs(
    desk: Desk, fresh_nats: str, tmp_path: Path
) -> None:
    elsewhere = {
        "DESKWIRE_NATS_URL": fresh_nats,
        "DESKWIRE_DURABILITY": "dev",
        "DESKWIRE_DATA_DIR": str(tmp_path / "nowhere"),
        "DESKWIRE_OBJECT_STORE_URL": (tmp_path / "objects").as_uri(),
        "DESKWIRE_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/desk.db",
    }
    assert desk.run("migrate", **elsewhere).returncode == 0
    found = desk.run("doctor", **elsewhere)
    assert found.returncode == 1
    assert "nobody listens: run `deskwire run sla`" in found.stdout
    assert "data folder" not in found.stdout


def test_without_a_desk_the_doctor_says_where_to_begin(tmp_path: Path, desk: Desk) -> None:
    folder = tmp_path / "nothing yet"
    found = desk.run("doctor", DESKWIRE_DATA_DIR=str(folder))
    assert found.returncode == 1
    assert "✘ NATS server" in found.stdout
    assert "start `deskwire up`, or set DESKWIRE_NATS_URL" in found.stdout
    assert not folder.exists()


def test_without_a_desk_a_command_says_what_is_missing(tmp_path: Path, desk: Desk) -> None:
    refused = desk.run("user", "list", DESKWIRE_DATA_DIR=str(tmp_path))
    assert refused.returncode == 1
    assert f"deskwire: nothing runs on {tmp_path}, and DESKWIRE_NATS_URL names no server." in refused.stderr


def test_a_server_that_does_not_answer_is_told_without_its_password(desk: Desk) -> None:
    refused = desk.run("user", "list", DESKWIRE_NATS_URL="nats://desk:hunter2@127.0.0.1:1")
    assert refused.returncode == 1
    assert "no NATS server takes us in at nats://127.0.0.1:1" in refused.stderr
    assert "hunter2" not in refused.stderr


def test_migrate_may_be_run_at_any_time(desk: Desk) -> None:
    assert desk.says("migrate") == "streams are up to date\n"


def status_of(url: str, token: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def tail(desk: Desk, *words: str, lines: int) -> list[str]:
    words = (*INTERRUPTIBLE, str(DESKWIRE), "tail", *words)
    process = subprocess.Popen(words, env=desk.environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        return [process.stdout.readline() for _ in range(lines)]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        process.stdout.close()


def indentation(line: str) -> int:
    return re.search(r"\d{4}-", line).start()  # type: ignore[union-attr]
