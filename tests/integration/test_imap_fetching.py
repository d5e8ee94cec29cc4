"""Mails in a real mailbox become entries on tickets, each exactly once."""

from pathlib import Path

from dovecot import running_dovecot
from imap_desk import a_mail, imap_desk


async def test_every_mail_in_a_mailbox_is_on_a_ticket_and_flagged(fresh_nats: str, tmp_path: Path) -> None:
    with running_dovecot() as server:
        server.deliver("support", [a_mail(number) for number in range(200)])
        async with imap_desk(fresh_nats, tmp_path, server) as desk:
            await desk.has(200)
            await desk.all_flagged()
            assert await desk.count("ALL") == 200
            print(await desk.state())
