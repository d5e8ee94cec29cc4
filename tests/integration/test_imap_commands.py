"""A mailbox is connected, mended and looked into from the command line."""

import asyncio
import subprocess
from pathlib import Path

from deskwire_shared.contracts.channels import Channel
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.staff import Team
from dovecot import PASSWORD, Dovecot, running_dovecot
from imap_desk import BOX, SUPPORT, a_mail, imap_desk
from processes import DESKWIRE, LOOPBACK
from ticket_desk import TicketDesk, ticket_desk, until


async def test_a_mailbox_is_connected_and_looked_into(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1), a_mail(2)])
        async with ticket_desk(fresh_nats, tmp_path) as desk:
            said = await _connect(desk, server, password=PASSWORD)
            assert said.stdout.startswith(f"connected {SUPPORT}, channel ")
            checked = await _deskwire(desk, "mailbox", "check", "Support")
            assert checked.stdout == "Support can be fetched from; 2 mails wait\n"
            ((_, channel),) = desk.runtime.directory.all(Channel).items()
            assert (channel.medium, channel.address) == ("email", SUPPORT)


async def test_mails_of_a_mailbox_go_to_the_team_that_is_named(fresh_nats: str, tmp_path: Path) -> None:
    words = ("mailbox", "connect", SUPPORT, "--host", LOOPBACK, "--port", "1", "--secret-stdin")
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        await desk.runtime.directory.put("crew", Team(name="Support crew"), actor=Actor(kind="system", id="test"))
        nowhere = await _deskwire(desk, *words, "--team", "Nowhere", say=PASSWORD)
        assert "there is no team Nowhere; teams: Support crew" in nowhere.stderr
        assert desk.runtime.directory.all(Channel) == {}
        for more in (("--team", "Support crew"), ()):
            connected = await _deskwire(desk, *words, *more, say=PASSWORD)
            channel = await desk.runtime.directory.fetch(Channel, connected.stdout.split()[-1])
            assert channel is not None
            assert channel.team_id == "crew"


async def test_a_wrong_password_is_told_and_replaced(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        async with ticket_desk(fresh_nats, tmp_path) as desk:
            await _connect(desk, server, password="not-the-password")
            refused = await _deskwire(desk, "mailbox", "check", SUPPORT)
            assert (refused.returncode, "AUTHENTICATIONFAILED" in refused.stderr) == (1, True)
            assert "not-the-password" not in refused.stderr + refused.stdout
            await _deskwire(desk, "mailbox", "secret", SUPPORT, "--secret-stdin", say=PASSWORD)
            assert (await _deskwire(desk, "mailbox", "check", SUPPORT)).returncode == 0


async def test_a_running_desk_follows_the_command(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1)])
        async with imap_desk(fresh_nats, tmp_path, server, password="wrong") as watching:
            await watching.becomes("refused")
            await _connect(watching.desk, server, password=PASSWORD)
            await watching.has(1)


async def test_what_cannot_be_is_refused_with_a_sentence(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        unknown = await _deskwire(desk, "mailbox", "check", "Nowhere")
        assert unknown.stderr == "deskwire: there is no mailbox Nowhere; mailboxes: none\n"
        words = ("mailbox", "connect", SUPPORT, "--host", LOOPBACK, "--after", "move", "--secret-stdin")
        nowhere = await _deskwire(desk, *words, say=PASSWORD)
        assert (nowhere.returncode, "move_to" in nowhere.stderr) == (2, True)


async def test_one_mailbox_is_run_alone_by_its_name(fresh_nats: str, tmp_path: Path) -> None:
    async with ticket_desk(fresh_nats, tmp_path) as desk:
        refused = await _deskwire(desk, "run", "intake", "--channel", "Nowhere")
        assert refused.returncode == 1
        assert "one of the mailboxes: none; not 'Nowhere'" in refused.stderr
    with running_dovecot() as server:
        async with imap_desk(fresh_nats, tmp_path, server, password="wrong") as watching:
            await watching.knows_password()
            await watching.deliver(a_mail(1))
            process = await asyncio.create_subprocess_exec(
                *(DESKWIRE, "run", "intake", "--channel", "Support"),
                env=_environment(watching.desk) | {"DESKWIRE_SMTP_PORT": "1"},
                stdout=subprocess.DEVNULL,
            )
            try:
                await until(lambda: _logged_in(server, times=2))
                await watching.has(1)
            finally:
                process.terminate()
                await process.wait()
            assert process.returncode == 0


async def _connect(desk: TicketDesk, server: Dovecot, *, password: str) -> subprocess.CompletedProcess[str]:
    words = ("--host", LOOPBACK, "--port", str(server.port), "--tls", "none", "--username", BOX, "--name", "Support")
    return await _deskwire(desk, "mailbox", "connect", SUPPORT, *words, "--secret-stdin", say=password)


async def _deskwire(desk: TicketDesk, *words: str, say: str = "") -> subprocess.CompletedProcess[str]:
    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [DESKWIRE, *words],
            env=_environment(desk),
            input=f"{say}\n",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return await asyncio.to_thread(run)


def _environment(desk: TicketDesk) -> dict[str, str]:
    settings = desk.runtime.settings
    assert settings.nats_url is not None
    return {
        "DESKWIRE_NATS_URL": settings.nats_url.get_secret_value(),
        "DESKWIRE_DATA_DIR": str(settings.data_dir),
        "DESKWIRE_DURABILITY": "dev",
        "DESKWIRE_HTTP_PORT": "0",
        "COLUMNS": "200",
    }


async def _logged_in(server: Dovecot, *, times: int) -> bool | None:
    return server.log.count("Login: user=<support>") >= times or None
