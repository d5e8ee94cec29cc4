"""Channels as processes of their own: what floods one is no matter of the others."""

import asyncio
from pathlib import Path

import pytest

from channel_flood import CHANNELS, flood

MAILS = 600
ASKED = 5


@pytest.mark.timeout(180)
async def test_forms_and_chats_are_answered_while_a_flood_of_mails_still_waits(tmp_path: Path) -> None:
    async with flood(tmp_path) as desk:
        coming = asyncio.create_task(desk.come(MAILS))
        answers = await desk.answers(ASKED, during=coming)
        assert len(answers.form) == len(answers.chat) == ASKED
        assert answers.backlog > 0
        await coming
        for channel in CHANNELS:
            ready = await desk.readiness(channel)
            assert ready["status"] == "ok"
            assert ({"imap": "mailboxes"}.get(channel, channel)) in ready
        assert 'deskwire_imap_waiting_mails{channel="support"} 0.0' in await desk.figures("imap")
        for channel in ("email", "web", "chat"):
            assert f'deskwire_intake_under_way{{channel="{channel}"}} 0.0' in await desk.figures(channel)


@pytest.mark.timeout(120)
async def test_a_channel_that_dies_takes_no_other_with_it(tmp_path: Path) -> None:
    async with flood(tmp_path) as desk:
        for channel in ("email", "imap"):
            desk.desk.kill(channel)
        assert len((await desk.answers(ASKED)).form) == ASKED
