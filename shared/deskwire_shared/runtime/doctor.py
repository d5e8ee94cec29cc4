"""`deskwire doctor`: looks at everything the desk depends on, and says how to mend what is wrong.

The services add what only they know, such as the database, by the entry points `deskwire.checks`.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from stat import S_IMODE
from urllib.parse import urlsplit

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamInfo
from nats.js.errors import APIError, NotFoundError
from obstore.exceptions import BaseError
from pydantic import ValidationError

from deskwire_shared.contracts.ids import new_id
from deskwire_shared.runtime.clock import Clock
from deskwire_shared.runtime.desk import Unreachable, connected, open_objects
from deskwire_shared.runtime.durability import TooWeak, check_durability, replicas
from deskwire_shared.runtime.nats_server import is_recent_enough
from deskwire_shared.runtime.setting_names import unknown_settings
from deskwire_shared.runtime.settings import CommonSettings, WrongSettings
from deskwire_shared.runtime.streams import CONSUMERS, STREAMS, declared_streams, differences, service_of, stream_config

ENTRY_POINTS = "deskwire.checks"
PATIENCE_SECONDS = 5.0
LEAST_FREE_BYTES = 1024**3
LARGEST_SKEW = timedelta(seconds=2)
GROUP_AND_OTHERS = 0o077
MIGRATE = "run `deskwire migrate`"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and found; `mend` says what to do, and is empty when all is well."""

    name: str
    found: str
    mend: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nothing has to be done."""
        return not self.mend


Check = Callable[[CommonSettings], Awaitable[list[Finding]]]


async def examine(settings: CommonSettings, clock: Clock) -> list[Finding]:
    """Look at everything; `settings` name the NATS server, unless none was found."""
    findings = _settings()
    findings += [_data_directory(settings.data_dir)] if _uses_data_directory(settings) else []
    findings += [await _object_store(settings), *await _nats(settings, clock)]
    for found in sorted(entry_points(group=ENTRY_POINTS)):
        findings += await _asked(found.load(), settings)
    return findings


async def _asked(check: Check, settings: CommonSettings) -> list[Finding]:
    try:
        return await check(settings)
    except ValidationError as error:
        return [Finding("settings", str(WrongSettings(error)), "correct it")]


def _uses_data_directory(settings: CommonSettings) -> bool:
    """Whether anything lies there; with servers of their own for all, processes need none."""
    stores = (settings.object_store_url, settings.database_url.get_secret_value())
    return settings.nats_url is None or any(str(settings.data_dir) in store for store in stores)


def _settings() -> list[Finding]:
    return [
        Finding("settings", str(unknown), "correct it, or take it away") for unknown in unknown_settings(os.environ)
    ]


def _data_directory(folder: Path) -> Finding:
    name = "data folder"
    if not folder.is_dir():
        return Finding(name, f"{folder} does not exist", "`deskwire up` makes it; else set DESKWIRE_DATA_DIR")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            name, f"{folder} cannot be written", f"give it to the user that runs Deskwire: chown -R {folder}"
        )
    secret = folder / "nats" / "credentials"
    if secret.exists() and S_IMODE(secret.stat().st_mode) & GROUP_AND_OTHERS:
        return Finding(name, f"others can read {secret}", f"chmod 600 {secret}")
    return Finding(name, f"{folder} is ours, {_readable(shutil.disk_usage(folder).free)} free", _space(folder))


def _space(folder: Path) -> str:
    return "" if shutil.disk_usage(folder).free >= LEAST_FREE_BYTES else "make room: JetStream stops when it is full"


def _readable(size: int) -> str:
    if size < 1024**2:
        return f"{size / 1024:.0f} KiB"
    return f"{size / 1024**3:.1f} GiB" if size >= 1024**3 else f"{size / 1024**2:.1f} MiB"


async def _object_store(settings: CommonSettings) -> Finding:
    url = urlsplit(settings.object_store_url)
    name, shown = "object store", f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
    if url.scheme == "file" and not await asyncio.to_thread(Path(url.path).is_dir):
        return Finding(name, f"{shown} is made at the first start")
    key = f"doctor/{new_id()}"
    try:
        store = await asyncio.to_thread(open_objects, settings)
        await store.put_async(key, b"written by deskwire doctor")
        await store.delete_async(key)
    except (BaseError, OSError, ValueError) as error:
        return Finding(name, f"{shown} cannot be written: {error}", "see DESKWIRE_OBJECT_STORE_URL and its credentials")
    return Finding(name, f"{shown} can be written")


async def _nats(settings: CommonSettings, clock: Clock) -> list[Finding]:
    name = "NATS server"
    if settings.nats_url is None:
        return [Finding(name, "none runs here", "start `deskwire up`, or set DESKWIRE_NATS_URL")]
    try:
        async with connected(settings, patience_seconds=PATIENCE_SECONDS) as connection:
            return await _server(settings, connection, clock)
    except Unreachable as error:
        return [Finding(name, str(error), "start it, or correct DESKWIRE_NATS_URL")]
    except (nats.errors.Error, APIError) as error:
        return [Finding(name, f"does not answer: {error!r}", "look at its log; is JetStream enabled for our account?")]


async def _server(settings: CommonSettings, connection: Client, clock: Clock) -> list[Finding]:
    version = str(connection.connected_server_version).strip("<>").removeprefix("nats server v")
    too_old = "" if is_recent_enough(version) else "install nats-server 2.14 or newer: timers need it"
    js = connection.jetstream()
    streams = [await _stream(js, declared.name or "", settings) for declared in STREAMS]
    consumers = [await _consumer(js, stream, name) for stream, name, _ in CONSUMERS]
    return [
        Finding("NATS server", f"version {version}", too_old),
        await _clock_skew(connection, clock),
        *streams,
        *consumers,
        *([await _durability(settings, js)] if all(finding.is_well for finding in streams) else []),
    ]


async def _durability(settings: CommonSettings, js: JetStreamContext) -> Finding:
    system_url = settings.nats_system_url
    try:
        await check_durability(settings.durability, js, system_url.get_secret_value() if system_url else None)
    except TooWeak as error:
        return Finding("durability", str(error), "see DESKWIRE_DURABILITY and the server's `sync_interval`")
    return Finding("durability", f"the server keeps what {settings.durability!r} promises")


async def _stream(js: JetStreamContext, name: str, settings: CommonSettings) -> Finding:
    try:
        info = await js.stream_info(name)
    except NotFoundError:
        return Finding(f"stream {name}", "is missing", MIGRATE)
    differing = _differing(info, settings)
    if differing:
        return Finding(f"stream {name}", f"differs in {', '.join(differing)}", MIGRATE)
    return Finding(f"stream {name}", f"{info.state.messages} messages, {_readable(info.state.bytes)}")


def _differing(info: StreamInfo, settings: CommonSettings) -> list[str]:
    streams = declared_streams(ledger_days=settings.ledger_days)
    (declared,) = [stream for stream in streams if stream.name == info.config.name]
    return differences(info, stream_config(declared, replicas=replicas(settings.durability)))


async def _consumer(js: JetStreamContext, stream: str, name: str) -> Finding:
    try:
        info = await js.consumer_info(stream, name)
    except NotFoundError:
        return Finding(f"consumer {name}", f"is missing on {stream}", MIGRATE)
    waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
    mend = "" if info.push_bound or info.num_waiting else f"nobody listens: run `deskwire run {service_of(name)}`"
    return Finding(f"consumer {name}", f"{waiting} messages wait", mend)


async def _clock_skew(connection: Client, clock: Clock) -> Finding:
    answer = await connection.request("$JS.API.STREAM.NAMES", b"{}", timeout=PATIENCE_SECONDS)
    name = str((json.loads(answer.data).get("streams") or [STREAMS[0].name])[0])
    before = clock.now()
    answer = await connection.request(f"$JS.API.STREAM.INFO.{name}", timeout=PATIENCE_SECONDS)
    told = json.loads(answer.data).get("ts")
    if told is None:
        return Finding("clock", "the server does not tell the time, for it has no stream", MIGRATE)
    skew = abs(datetime.fromisoformat(told) - before)
    shown = f"{skew.total_seconds():.1f} s apart from the server's"
    return Finding("clock", shown, "" if skew <= LARGEST_SKEW else "let both machines take their time from NTP")
