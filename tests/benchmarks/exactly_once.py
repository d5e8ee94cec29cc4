"""The long version of the test `exactly_once`: mails through SMTP and IMAP while processes are killed at random."""

import asyncio
import sys
import tempfile
from pathlib import Path

import exactly_once
from benchmarks.figures import Figure, chosen

MAILS = 100_000
PAUSE = (1.0, 6.0)
"""Seconds between two kills."""
PATIENCE_SECONDS = 3 * 3600


async def measure() -> list[Figure]:
    """Send the mails (`MAILS=5000` for fewer), kill, and compare the log with what was sent."""
    mails = chosen("MAILS", MAILS)
    with tempfile.TemporaryDirectory(prefix="deskwire-bench-") as folder:
        report = await asyncio.to_thread(
            exactly_once.run, Path(folder), mails=mails, pause=PAUSE, patience=PATIENCE_SECONDS, tell=_tell
        )
    _tell(str(report))
    killed = ", ".join(f"{name} {count}" for name, count in sorted(report.kills.items()))
    return [
        Figure(f"mails lost of {report.sent:,}", report.lost, "mails", bar=0, better="less", note=f"killed: {killed}"),
        Figure("mails doubled", report.doubled, "mails", bar=0, better="less"),
        Figure("mails on another ticket than their parent", report.astray, "mails", bar=0, better="less"),
        Figure("mails to tickets while being killed", report.sent / report.seconds, "mails/s"),
    ]


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
