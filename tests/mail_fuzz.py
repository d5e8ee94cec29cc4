"""Reads changed mails in processes of their own, and takes them in for real, on a desk in memory.

Each mail follows from a seed and its number, so whatever goes wrong can be had again:
`PYTHONPATH=tests python -m mail_fuzz SEED NUMBER` writes it.
"""

import asyncio
import faulthandler
import logging
import multiprocessing
import random
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from deskwire_intake.channels.port import Parked
from deskwire_intake.mail import ParsedMail, json_view
from deskwire_intake.mail.parsing import MAX_HTML, MAX_SUBJECT, MAX_TEXT
from deskwire_intake.mail.tree import MAX_PARTS
from deskwire_intake.reading import read_mail
from deskwire_query.web.mails.cleaning import harmless_or_text, is_light
from deskwire_query.web.mails.harmless import harmless
from mail_mutations import mutated
from unit.intake.inbound import MAILS
from unit.intake.mail_desk import MailDesk

SLOWEST_SECONDS = 2.0
"""Of the processor, for one mail: a neighbour on the machine is not the parser's fault."""
MOST_MEMORY = 256 * 1024 * 1024
"""By which the reading process may grow over what it needs for the stored mails."""
STUCK_SECONDS = 60.0
MAILS_PER_DESK = 200
HEAVY_CLEANED = 5
"""HTML that is cleaned in a process of its own, as heavy HTML is, by each process; starting one takes its time."""


def seeds() -> list[bytes]:
    """The stored mails."""
    return [path.read_bytes() for path in sorted(MAILS.glob("*.eml"))]


def fuzzed(corpus: list[bytes], seed: int, number: int) -> bytes:
    """Make one mail."""
    return mutated(corpus, random.Random(f"{seed}/{number}"))


def assert_sound(mail: ParsedMail) -> None:
    """What holds for whatever was read, from whatever bytes."""
    for text in (mail.subject, mail.text, mail.html or "", mail.reply_text, *mail.defects):
        assert "\x00" not in text
        text.encode("utf-8")
    assert mail.reply_text.endswith(mail.signature or "")
    assert mail.signature is None or mail.reply_text.removesuffix(mail.signature).strip()
    assert len(mail.subject) <= MAX_SUBJECT
    assert len(mail.text) <= MAX_TEXT
    assert len(mail.html or "") <= MAX_HTML
    assert len(mail.attachments) <= 2 * MAX_PARTS
    assert mail.date is None or mail.date.tzinfo is not None
    for address in (*mail.to, *mail.cc, *mail.reply_to, *([mail.from_] if mail.from_ else [])):
        assert "@" in address.address
        f"{address.name} {address.address}".encode()
    for attachment in mail.attachments:
        attachment.filename.encode("utf-8")
        assert attachment.filename
        assert not set(attachment.filename) & set("/\\\x00\r\n")
    json_view(mail)


@dataclass
class Findings:
    """What reading many mails was like."""

    mails: int = 0
    bytes: int = 0
    slowest_reading: float = 0.0
    slowest_cleaning: float = 0.0
    slowest: str = ""
    """The mail that took longest to read."""
    heavy: int = 0
    memory: int = 0
    """Bytes by which the process grew at most."""
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def and_more(self, other: "Findings") -> "Findings":
        """Both together."""
        return Findings(
            mails=self.mails + other.mails,
            bytes=self.bytes + other.bytes,
            slowest_reading=max(self.slowest_reading, other.slowest_reading),
            slowest_cleaning=max(self.slowest_cleaning, other.slowest_cleaning),
            slowest=max((self.slowest_reading, self.slowest), (other.slowest_reading, other.slowest))[1],
            heavy=self.heavy + other.heavy,
            memory=max(self.memory, other.memory),
            seconds=max(self.seconds, other.seconds),
            outcomes=self.outcomes + other.outcomes,
            troubles=self.troubles + other.troubles,
        )


def fuzz(seed: int, mails: int, *, processes: int = 1) -> Findings:
    """Read mails in processes of their own."""
    shares = [range(first, mails, processes) for first in range(processes)]
    found = Findings()
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for share in pool.map(_read_share, [seed] * processes, shares):
            found = found.and_more(share)
    return found


def _read_share(seed: int, numbers: range) -> Findings:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    corpus = seeds()
    asyncio.run(_take_in((("stored", raw) for raw in corpus), Findings()))
    found, before, started = Findings(), _peak_memory(), time.monotonic()
    for first in range(0, len(numbers), MAILS_PER_DESK):
        some = numbers[first : first + MAILS_PER_DESK]
        asyncio.run(_take_in(((f"{seed} {number}", fuzzed(corpus, seed, number)) for number in some), found))
    found.memory, found.seconds = _peak_memory() - before, time.monotonic() - started
    return found


async def _take_in(mails: Iterable[tuple[str, bytes]], found: Findings) -> None:
    """Read mails and deliver them to a new desk; a parser that never ends is ended, and shows where it was."""
    desk = MailDesk()
    for name, raw in mails:
        faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
        found.mails += 1
        found.bytes += len(raw)
        try:
            await _read(raw, found, name)
            (result,) = await desk.deliver(raw)
        except Exception as error:  # noqa: BLE001  # that is what is looked for
            found.troubles.append(f"{name}: {type(error).__name__}: {error}"[:500])
            continue
        found.outcomes[result.reason if isinstance(result, Parked) else "accepted"] += 1
        if isinstance(result, Parked) and not result.is_expected:
            found.troubles.append(f"{name}: parked for {result.reason}"[:500])
    faulthandler.cancel_dump_traceback_later()


async def _read(raw: bytes, found: Findings, name: str) -> None:
    started = time.process_time()
    mail = read_mail(raw)
    reading = time.process_time() - started
    assert_sound(mail)
    if reading > found.slowest_reading:
        found.slowest_reading, found.slowest = reading, name
    cleaning = await _clean(mail, found)
    found.slowest_cleaning = max(found.slowest_cleaning, cleaning)
    if max(reading, cleaning) > SLOWEST_SECONDS:
        found.troubles.append(f"{name}: took {reading:.1f} s to read and {cleaning:.1f} s to clean")


async def _clean(mail: ParsedMail, found: Findings) -> float:
    """Make a mail's HTML harmless; the seconds of this process's time."""
    if mail.html is None:
        return 0.0
    started = time.process_time()
    if is_light(mail.html):
        harmless(mail.html, inline={}).html.encode("utf-8")
    elif found.heavy < HEAVY_CLEANED:
        found.heavy += 1
        (await harmless_or_text(mail.html, mail.text, inline={})).html.encode("utf-8")
    return time.process_time() - started


def _peak_memory() -> int:
    """The most memory that this process had, in bytes; what it had inherited before it began does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.stdout.buffer.write(fuzzed(seeds(), int(sys.argv[1]), int(sys.argv[2])))
