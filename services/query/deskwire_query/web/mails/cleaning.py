"""Makes mails harmless within bounds: modest ones here, others in a process with a limit of time and memory."""

import asyncio
import json
import resource
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from markupsafe import escape

from deskwire_query.web.mails.harmless import HarmlessMail, harmless
from deskwire_shared.ticket.markup import is_modest

SHORT: Final = 32 * 1024
SECONDS: Final = 5.0
CPU_SECONDS: Final = 2
MEMORY: Final = 512 * 1024 * 1024
LEFT_OUT: Final = "The layout of this message would take too long to show. These are its words."

_at_once = asyncio.Semaphore(2)


async def harmless_or_text(
    html: str, text: str, *, inline: Mapping[str, str], remote_images: bool = False
) -> HarmlessMail:
    """Clean a mail's HTML; where that takes too much, show the mail's text instead."""
    if is_light(html):
        return harmless(html, inline=inline, remote_images=remote_images)
    asked = json.dumps({"html": html, "inline": dict(inline), "remote_images": remote_images}).encode()
    async with _at_once:
        answer = await _in_a_process(asked)
    if answer is None:
        return HarmlessMail(f"<p><em>{escape(LEFT_OUT)}</em></p>\n<pre>{escape(text)}</pre>", 0)
    return HarmlessMail(**json.loads(answer))


def is_light(html: str) -> bool:
    """Whether HTML is cleaned at once, however it is built."""
    return len(html) <= SHORT and is_modest(html)


async def _in_a_process(asked: bytes) -> bytes | None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deskwire_query.web.mails.cleaning"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SECONDS):
            answer, _ = await process.communicate(asked)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return answer if process.returncode == 0 else None


def main() -> None:
    """Clean one mail: JSON on standard input, JSON on standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    asked = json.load(sys.stdin.buffer)
    json.dump(asdict(harmless(asked.pop("html"), **asked)), sys.stdout)


if __name__ == "__main__":
    main()
