"""How long forms and chats wait for their answers beside a flood of mails in one mailbox, and without it."""

import asyncio
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, chosen, percentile
from channel_flood import flood

MAILS = 10_000
ASKED = 150
WARM_UP = 20
BAR_MS = 250
"""For 95 of 100 answers beside the flood: what people take for at once."""


async def measure() -> list[Figure]:
    """Ask by form and chat on a quiet desk, then while mails flood it by SMTP and IMAP (`MAILS=1000` for fewer)."""
    mails = chosen("MAILS", MAILS)
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder:
        async with flood(Path(folder)) as desk:
            await desk.answers(WARM_UP)
            quiet = await desk.answers(ASKED)
            coming = asyncio.create_task(desk.come(mails))
            flooded = await desk.answers(ASKED, during=coming)
            await coming
    note = f"{len(flooded.form)} asked; {flooded.backlog:,} of {mails:,} mails waited when the last was answered"
    return [
        *_figures("form", quiet.form, flooded.form, note),
        *_figures("chat", quiet.chat, flooded.chat, note),
    ]


def _figures(channel: str, quiet: list[float], flooded: list[float], note: str) -> list[Figure]:
    found = []
    for share, name in ((0.5, "median"), (0.95, "95 of 100")):
        found.append(Figure(f"{channel} on a quiet desk, {name}", percentile(quiet, share) * 1000, "ms"))
        bar = BAR_MS if share > 0.5 else None
        value = percentile(flooded, share) * 1000
        found.append(Figure(f"{channel} beside a flood of mails, {name}", value, "ms", bar, "less", note))
    return found
