"""Fortnights of a desk under a clock that is moved: is every promise noted as an oracle counts it, second by second?"""

import random
import sys
import time

from benchmarks.figures import Figure, chosen
from sla_comparison import compare

SEEDS = 10
TICKETS = 2_000


async def measure() -> list[Figure]:
    """Live through fortnights that follow from seeds (`SEED=1` is the first one, `SEEDS=40` says how many)."""
    first, seeds = chosen("SEED", random.SystemRandom().randrange(10**9)), chosen("SEEDS", SEEDS)
    differing, noted, started = 0, 0, time.perf_counter()
    for seed in range(first, first + seeds):
        found = await compare(TICKETS, random.Random(seed))
        sys.stderr.writelines(f"seed {seed}: {trouble} on {life}\n" for life, trouble in found.differing)
        differing += len(found.differing)
        noted += found.counted.total()
    seconds = time.perf_counter() - started
    note = f"{seeds} × {TICKETS:,} tickets, seeds from {first} on"
    return [
        Figure("tickets on which sla and the oracle differ", differing, "tickets", 0, "less", note),
        Figure("warnings, breaches and kept promises noted", noted / seconds, "facts/s", note=f"{noted:,} in all"),
    ]
