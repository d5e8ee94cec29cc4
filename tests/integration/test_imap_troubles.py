"""What mail servers, wires and people do to a mailbox, and that nothing is lost by it."""

import asyncio
import re
from pathlib import Path

import pytest

from certificates import certificate
from deskwire_intake.channels.imap import session as imap_session
from deskwire_intake.channels.imap.credentials import MailboxSecret
from deskwire_shared.contracts.channels import Channel
from dovecot import running_dovecot
from imap_desk import BOX, ImapDesk, a_mail, imap_desk
from ticket_desk import until
from token_endpoint import TokenEndpoint
from wire import Wire


async def test_a_wrong_password_is_told_and_not_tried_again_until_there_is_another(
    fresh_nats: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1)])
        async with imap_desk(fresh_nats, tmp_path, server, password="not-the-password") as desk:
            assert "AUTHENTICATIONFAILED" in await desk.becomes("refused")
            with pytest.raises(TimeoutError):
                await until(lambda: _tried(server, times=2), within=3)
            assert await _tried(server, times=1)
            await desk.knows_password()
            await desk.has(1)
            await desk.becomes("waiting")
    assert "not-the-password" not in capsys.readouterr().out


async def test_a_mailbox_without_a_password_waits_for_one(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1)])
        async with imap_desk(fresh_nats, tmp_path, server, password="") as desk:
            assert "no password" in await desk.becomes("refused")
            await desk.knows_password()
            await desk.has(1)


async def test_a_missing_folder_is_told_and_found_once_it_is_there(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1)])
        async with imap_desk(fresh_nats, tmp_path, server, folder="Hilfe für alle") as desk:
            assert "Hilfe" in await desk.becomes("unusable")
            with server.client(BOX) as client:
                client.create_folder("Hilfe für alle")
                client.select_folder("INBOX")
                client.copy([1], "Hilfe für alle")
            await desk.has(1)


async def test_a_server_that_is_not_there_is_waited_for(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1)])
        server.stop()
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            assert "refused" in await desk.becomes("unreachable")
            await asyncio.to_thread(server.start)
            await desk.has(1)


async def test_a_connection_cut_while_waiting_is_made_again(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        async with Wire(server.port).open() as wire, imap_desk(fresh_nats, tmp_path, server, port=wire.port) as desk:
            await desk.becomes("waiting")
            wire.cut()
            await desk.deliver(a_mail(1))
            await desk.has(1)


async def test_a_wire_that_went_silent_is_noticed(
    fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_session, "READ_SECONDS", 1.0)
    with running_dovecot() as server:
        async with (
            Wire(server.port).open() as wire,
            imap_desk(fresh_nats, tmp_path, server, port=wire.port, poll_seconds=1) as desk,
        ):
            await desk.becomes("waiting")
            wire.go_silent()
            await desk.deliver(a_mail(1))
            await desk.becomes("unreachable")
            wire.mend()
            await desk.has(1)


async def test_a_connection_cut_again_and_again_loses_and_doubles_nothing(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(300)])
        async with Wire(server.port).open() as wire, imap_desk(fresh_nats, tmp_path, server, port=wire.port) as desk:
            for commits in (1, 100, 200):
                await desk.has_begun(commits)
                wire.cut()
            await desk.has(300)
            await desk.all_flagged()
            await desk.has(300)
            assert wire.connections >= 4


async def test_a_mail_deleted_by_somebody_else_is_no_trouble(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(200)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has_begun(1)
            with server.client(BOX) as client:
                client.select_folder("INBOX")
                client.delete_messages([199])
                client.expunge()
            await desk.all_flagged()
            assert {said.message_id for said in await desk.messages()} >= {
                f"order-{number}@example.com" for number in range(200) if number != 198
            }


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_mails_are_fetched_over_an_encrypted_connection(
    fresh_nats: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    files = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    with running_dovecot(tls=files) as server:
        server.deliver(BOX, [a_mail(1)])
        port = server.tls_port if tls == "implicit" else server.port
        async with imap_desk(fresh_nats, tmp_path, server, tls=tls, port=port) as desk:
            await desk.has(1)
            await desk.becomes("waiting")
            await desk.deliver(a_mail(2))
            await desk.has(2)


async def test_a_server_with_a_certificate_nobody_vouches_for_gets_no_password(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot(tls=certificate(tmp_path)) as server:
        async with imap_desk(fresh_nats, tmp_path, server, tls="implicit", port=server.tls_port) as desk:
            assert "certificate" in await desk.becomes("unreachable")
        assert "Login: user=" not in server.log


@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token"])
async def test_a_mailbox_is_opened_with_a_token(fresh_nats: str, tmp_path: Path, grant: str) -> None:
    with (
        TokenEndpoint(owner=BOX).open() as endpoint,
        running_dovecot(introspection_url=endpoint.introspection_url) as server,
    ):
        server.deliver(BOX, [a_mail(1)])
        oauth = {"grant": grant, "token_url": endpoint.url, "client_id": "desk", "scope": "mail"}
        async with imap_desk(fresh_nats, tmp_path, server, password="", oauth=oauth) as desk:
            await _knows(desk, client_secret="wrong", refresh_token="refresh-1")
            assert "The secret is wrong." in await desk.becomes("refused: the token endpoint refuses")
            await _knows(desk, client_secret="client-secret", refresh_token="refresh-1")
            await desk.has(1)
            assert "method=XOAUTH2" in server.log
        async with imap_desk(fresh_nats, tmp_path, server, password="", oauth=oauth) as desk:
            await desk.becomes("waiting")  # with the refresh token that took the place of the first one
    assert endpoint.asked[-1]["scope"] == "mail"


async def test_mailboxes_come_and_go_with_the_directory(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.becomes("waiting")
            await desk.watch(folder="Elsewhere")
            await desk.becomes("unusable")
            await desk.watch()
            await desk.deliver(a_mail(1))
            await desk.has(1)
            channel = desk.desk.runtime.directory.get(Channel, BOX)
            assert channel is not None
            await desk.desk.put(BOX, channel.model_copy(update={"active": False}))
            await until(lambda: _gone(desk))
            await desk.deliver(a_mail(2))
            await desk.desk.put(BOX, channel)
            await desk.has(2)


async def test_operators_see_how_a_mailbox_fares(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(1)
            await desk.becomes("waiting")
            registry = desk.desk.runtime.registry
            labels = {"channel": BOX}
            assert registry.get_sample_value("deskwire_imap_mailbox", {**labels, "condition": "waiting"}) == 1
            assert registry.get_sample_value("deskwire_imap_mailbox", {**labels, "condition": "fetching"}) == 0
            assert registry.get_sample_value("deskwire_imap_waiting_mails", labels) == 0
            assert registry.get_sample_value("deskwire_imap_seen_timestamp_seconds", labels)


async def _knows(desk: ImapDesk, **secret: str) -> None:
    stored = MailboxSecret.model_validate(secret).stored()
    await desk.desk.runtime.secrets.set_channel(BOX, stored)


async def _gone(desk: ImapDesk) -> bool | None:
    return not desk.imap.states() or None


async def _tried(server, *, times: int) -> bool | None:  # type: ignore[no-untyped-def]
    return len(re.findall(r"auth failed", server.log)) >= times or None
