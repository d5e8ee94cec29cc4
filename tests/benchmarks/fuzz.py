"""Mails changed at random, read and taken in: none may raise, stall the reader or fill its memory."""

import asyncio
import random
import sys

from benchmarks.figures import Figure, chosen
from mail_fuzz import MOST_MEMORY, SLOWEST_SECONDS, fuzz

MAILS = 60_000
PROCESSES = 2
MIB = 1024 * 1024


async def measure() -> list[Figure]:
    """Read the mails that follow from a seed (`SEED=1`, else a new one; `MAILS=1000` for fewer)."""
    seed, mails = chosen("SEED", random.SystemRandom().randrange(10**9)), chosen("MAILS", MAILS)
    found = await asyncio.to_thread(fuzz, seed, mails, processes=PROCESSES)
    sys.stderr.writelines(f"{trouble}\n" for trouble in found.troubles)
    outcomes = ", ".join(f"{outcome}: {count:,}" for outcome, count in found.outcomes.most_common())
    return [
        Figure(f"troubles with {found.mails:,} changed mails", len(found.troubles), "mails", 0, "less", f"seed {seed}"),
        Figure("slowest reading", found.slowest_reading, "s of CPU", SLOWEST_SECONDS, "less", f"mail {found.slowest}"),
        Figure(
            "slowest cleaning of HTML",
            found.slowest_cleaning * 1000,
            "ms of CPU",
            SLOWEST_SECONDS * 1000,
            "less",
            f"{found.heavy} heavy ones cleaned in processes of their own",
        ),
        Figure("growth of a reading process", found.memory / MIB, "MiB", MOST_MEMORY / MIB, "less"),
        Figure("mails read and taken in", found.mails / found.seconds, "mails/s", note=outcomes),
        Figure("size of a mail on average", found.bytes / found.mails / 1024, "KiB"),
    ]
