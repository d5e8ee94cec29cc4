"""A nats-server child for one machine: started, watched and stopped by the process that needs it."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import structlog

from deskwire_shared.runtime.child_process import ending_with_parent, inherited_lock
from deskwire_shared.runtime.data_directory import DataDirectoryLock, write_pid, write_private
from deskwire_shared.runtime.nats_server import (
    SYSTEM_USER,
    USER,
    Credentials,
    find_program,
    is_recent_enough,
    load_or_create_credentials,
    render_configuration,
)

DEFAULT_PORT: Final = 4222
LOOPBACK: Final = "127.0.0.1"

_POLL_SECONDS: Final = 0.01
_START_SECONDS: Final = 60.0  # a log of five million tickets takes five seconds to open
_STOP_SECONDS: Final = 20.0
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0
_STEADY_SECONDS: Final = 30.0
_MOST_DEATHS: Final = 10
_LAST_WORDS_BYTES: Final = 2_000

log = structlog.get_logger()


class EmbeddedNatsFailed(Exception):
    """The nats-server child did not start, cannot carry Deskwire, or does not stay alive."""


class EmbeddedNats:
    """A JetStream server in a child process, with its files in `<data_dir>/nats`.

    It listens on loopback only, at the wished port or, when that is taken or 0, at any free one.
    The child ends with this process, even after `kill -9`; for that, start it from the main thread.
    """

    def __init__(self, data_dir: Path, *, port: int = DEFAULT_PORT, sync_interval: str = "always") -> None:
        self._lock = DataDirectoryLock(data_dir)
        self._folder = data_dir.resolve() / "nats"
        self._wished_port = port
        self._port: int | None = None
        self._sync_interval = sync_interval
        self._credentials: Credentials | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._changing = asyncio.Lock()
        self._stopping = asyncio.Event()

    @property
    def url(self) -> str:
        """The address for the services, with its password."""
        return f"nats://{USER}:{self._known_credentials.password}@{LOOPBACK}:{self._port}"

    @property
    def system_url(self) -> str:
        """The address of the system account, which tells how the server is configured."""
        return f"nats://{SYSTEM_USER}:{self._known_credentials.system_password}@{LOOPBACK}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The child's process id, while it lives."""
        alive = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process and alive else None

    async def start(self) -> str:
        """Start the server and answer its address.

        Raises DataDirectoryBusy, NatsServerMissing or EmbeddedNatsFailed.
        """
        self._lock.acquire()
        self._stopping.clear()
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._credentials = load_or_create_credentials(self._folder / "credentials")
            await self._launch()
        except BaseException:
            self._lock.release()
            raise
        return self.url

    async def supervise(self) -> None:
        """Start the server again whenever it dies, until `stop`; EmbeddedNatsFailed when it keeps dying."""
        deaths = 0
        while (lifetime := await self._lifetime()) is not None:
            deaths = 1 if lifetime > _STEADY_SECONDS else deaths + 1
            if deaths > _MOST_DEATHS:
                raise EmbeddedNatsFailed(f"nats-server died {deaths} times in a row:\n{self._last_words()}")
            pause = min(_FIRST_PAUSE_SECONDS * 2 ** (deaths - 1), _LONGEST_PAUSE_SECONDS)
            log.warning("nats_server_died", deaths=deaths, restart_in_seconds=pause)
            await self._pause(pause)
            await self._relaunch()

    async def stop(self) -> None:
        """Let the server finish its writes and end it; it is killed when that takes too long."""
        self._stopping.set()
        async with self._changing:
            if self._process is not None:
                await _end(self._process)
        self._lock.release()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _known_credentials(self) -> Credentials:
        if self._credentials is None:
            raise RuntimeError("the NATS server has no address before it is started")
        return self._credentials

    async def _lifetime(self) -> float | None:
        """Wait for the child's death and tell how long it lived; None when it was stopped."""
        if self._process is None:
            raise RuntimeError("the NATS server is supervised before it is started")
        loop = asyncio.get_running_loop()
        born = loop.time()
        await self._process.wait()
        return None if self._stopping.is_set() else loop.time() - born

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _relaunch(self) -> None:
        """Try to start the child again; a failed try leaves a dead child, which `supervise` counts."""
        try:
            await self._launch()
        except EmbeddedNatsFailed as failure:
            log.warning("nats_server_start_failed", reason=str(failure))

    async def _launch(self) -> None:
        async with self._changing, AsyncExitStack() as when_it_fails:
            if self._stopping.is_set():
                return
            self._process = await self._spawn()
            when_it_fails.push_async_callback(_end, self._process)
            self._port = await self._ready_port(self._process)
            when_it_fails.pop_all()
            log.info("nats_server_started", port=self._port, pid=self.pid)
            if self._wished_port not in {0, self._port}:
                log.warning("nats_port_is_used_by_another_program", wished=self._wished_port, taken=self._port)

    async def _spawn(self) -> asyncio.subprocess.Process:
        for stale in self._folder.glob("*.ports"):
            stale.unlink()
        configuration = self._folder / "nats.conf"
        write_private(configuration, self._configuration())
        async with inherited_lock(self._folder / "lock", patience_seconds=_STOP_SECONDS) as lock:
            with self._log_file.open("ab") as output:
                process = await asyncio.create_subprocess_exec(
                    *ending_with_parent(find_program(), "--config", configuration),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(lock,),
                    start_new_session=True,  # Ctrl-C is for us: we stop the server after the services
                )
            write_pid(lock, process.pid)
        return process

    def _configuration(self) -> str:
        return render_configuration(
            self._folder,
            self._known_credentials,
            port=self._port or _free_port(self._wished_port),
            sync_interval=self._sync_interval,
        )

    async def _ready_port(self, process: asyncio.subprocess.Process) -> int:
        try:
            async with asyncio.timeout(_START_SECONDS):
                port = await self._announced_port(process)
                self._check_greeting(await _greeting(port))
        except (TimeoutError, OSError) as failure:
            raise EmbeddedNatsFailed(f"nats-server is not ready:\n{self._last_words()}") from failure
        return port

    async def _announced_port(self, process: asyncio.subprocess.Process) -> int:
        while process.returncode is None:
            for announcement in self._folder.glob(f"*_{process.pid}.ports"):
                with suppress(json.JSONDecodeError):  # it is being written
                    return int(json.loads(announcement.read_text())["nats"][0].rpartition(":")[2])
            await asyncio.sleep(_POLL_SECONDS)
        raise EmbeddedNatsFailed(f"nats-server ended with code {process.returncode}:\n{self._last_words()}")

    def _check_greeting(self, greeting: dict[str, Any]) -> None:
        version = str(greeting["version"])
        if not is_recent_enough(version):
            raise EmbeddedNatsFailed(f"nats-server {version} is too old: Deskwire needs 2.14 or newer")
        if not greeting.get("jetstream"):
            raise EmbeddedNatsFailed(f"nats-server runs without JetStream:\n{self._last_words()}")

    @property
    def _log_file(self) -> Path:
        return self._folder / "nats.log"

    def _last_words(self) -> str:
        return self._log_file.read_bytes()[-_LAST_WORDS_BYTES:].decode(errors="replace")


async def _greeting(port: int) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        line = await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()
    greeting: dict[str, Any] = json.loads(line.removeprefix(b"INFO "))
    return greeting


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        log.warning("nats_server_killed", pid=process.pid)
        process.kill()
        await process.wait()


def _free_port(wished: int) -> int:
    """Choose the wished port when nobody listens there, else leave the choice to the server (-1)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wished))
        except OSError:
            return -1
    return wished or -1
