"""Mails in a real mailbox become entries on tickets, each exactly once."""

import asyncio
import time
from pathlib import Path

from dovecot import running_dovecot
from imap_desk import BOX, a_mail, imap_desk
from ticket_desk import until


async def test_every_mail_in_a_mailbox_is_on_a_ticket_and_flagged(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(200)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(200)
            await desk.all_flagged()
            assert await desk.count("ALL") == 200
            assert await desk.count("SEEN") == 0
            assert await desk.becomes("waiting") == "waiting, 0 mails waiting"


async def test_two_fetchers_on_one_mailbox_double_nothing(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        async with (
            imap_desk(fresh_nats, tmp_path, server) as desk,
            imap_desk(fresh_nats, tmp_path, server) as other,
        ):
            await desk.becomes("waiting")
            await other.becomes("waiting")
            await desk.deliver(*(a_mail(number) for number in range(200)))
            await desk.has(200)
            await desk.all_flagged()
            await desk.has(200)


async def test_a_new_mail_is_on_its_ticket_within_a_second(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        async with imap_desk(fresh_nats, tmp_path, server, poll_seconds=500) as desk:
            await desk.becomes("waiting")
            await desk.deliver(a_mail(1))
            started = time.monotonic()
            await desk.has(1)
            assert time.monotonic() - started < 1


async def test_a_server_that_tells_nothing_is_asked_again_and_again(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot(more="imap_capability = IMAP4rev1 UIDPLUS\n") as server:
        async with imap_desk(fresh_nats, tmp_path, server, poll_seconds=1) as desk:
            await desk.becomes("waiting")
            await desk.deliver(a_mail(1))
            await desk.has(1)


async def test_replies_follow_their_parent_though_all_waited_together(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        for number in range(0, 60, 3):
            server.deliver(BOX, [a_mail(number), *(a_mail(number + n, answers=number) for n in (1, 2))])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            tickets = {said.message_id: said.ticket_id for said in await desk.has(60)}
            assert len(set(tickets.values())) == 20
            for number in range(0, 60, 3):
                family = {tickets[f"order-{number + n}@example.com"] for n in range(3)}
                assert len(family) == 1


async def test_mails_that_came_while_the_desk_was_down_are_caught_up_on(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.deliver(*(a_mail(number) for number in range(20)))
            await desk.has(20)
        server.deliver(BOX, [a_mail(number) for number in range(20, 150)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(150)


async def test_a_fetcher_stopped_in_the_middle_goes_on_where_it_was(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(300)])
        for commits in (10, 100, 200):
            async with imap_desk(fresh_nats, tmp_path, server) as desk:
                await desk.has_begun(commits)
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(300)
            await desk.all_flagged()
            await desk.has(300)


async def test_a_mail_server_killed_in_the_middle_loses_and_doubles_nothing(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(200)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has_begun(5)
            await asyncio.to_thread(server.kill)
            await desk.becomes("unreachable")
            await asyncio.to_thread(server.start)
            await desk.has(200)
            await desk.all_flagged()
            await desk.has(200)


async def test_a_mailbox_that_is_numbered_anew_doubles_nothing(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.deliver(*(a_mail(number) for number in range(50)))
            await desk.has(50)
            await desk.all_flagged()
            await asyncio.to_thread(server.kill)
            server.forget_numbers(BOX)
            await asyncio.to_thread(server.start)
            assert await desk.count("UNKEYWORD $Deskwire") > 0
            await desk.all_flagged()
            await desk.deliver(a_mail(50))
            await desk.has(51)


async def test_mails_are_moved_once_they_are_on_their_tickets(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(100)])
        async with imap_desk(fresh_nats, tmp_path, server, after="move", move_to="In the desk") as desk:
            await desk.has(100)
            await until(lambda: _none_left(desk))
            assert await desk.count("ALL", "In the desk") == 100


async def test_mails_are_moved_by_a_server_that_can_only_copy(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot(more="imap_capability = IMAP4rev1\n") as server:
        server.deliver(BOX, [a_mail(number) for number in range(10)])
        async with imap_desk(fresh_nats, tmp_path, server, after="move", move_to="Done") as desk:
            await desk.has(10)
            await until(lambda: _none_left(desk))
            assert await desk.count("ALL", "Done") == 10


async def test_mails_are_deleted_once_they_are_on_their_tickets(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(number) for number in range(100)])
        async with imap_desk(fresh_nats, tmp_path, server, after="delete") as desk:
            await desk.has(100)
            await until(lambda: _none_left(desk))


async def test_a_mail_that_is_too_large_is_parked_and_stays_in_the_mailbox(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1), a_mail(2, body=b"0123456789abcdef\r\n" * 10_000), a_mail(3)])
        async with imap_desk(fresh_nats, tmp_path, server, after="delete", imap_mail_bytes=50_000) as desk:
            await desk.has(2)
            await desk.all_flagged()
            await until(lambda: _only(desk, 1))
            (parked,) = await desk.parked()
            assert parked.reference.startswith(f"imap:{BOX}:")
            assert "the most are 50000" in parked.reason
            assert b"Message-ID: <order-2@example.com>" in parked.data


async def test_a_mail_nobody_could_handle_is_parked_once_and_flagged(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        our_own = b"From: support@example.com\r\nSubject: A mail of the desk's\r\n\r\nHello\r\n"
        server.deliver(BOX, [a_mail(1), our_own, a_mail(2)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(2)
            await desk.all_flagged()
            assert len(await desk.parked()) == 1


async def test_mails_from_before_a_day_are_left_alone(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver(BOX, [a_mail(1)])
        async with imap_desk(fresh_nats, tmp_path, server, since="2100-01-01") as desk:
            await desk.becomes("waiting")
            assert await desk.messages() == []
            await desk.watch(since="2020-01-01")
            await desk.has(1)


async def _none_left(desk) -> bool | None:  # type: ignore[no-untyped-def]
    return await _only(desk, 0)


async def _only(desk, count: int) -> bool | None:  # type: ignore[no-untyped-def]
    return await desk.count("ALL") == count or None
