"""A nats-server child: started, watched and stopped by the process that needs it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import nats
import pytest

from deskwire_shared.runtime import embedded_nats
from deskwire_shared.runtime.data_directory import DataDirectoryBusy
from deskwire_shared.runtime.embedded_nats import EmbeddedNats, EmbeddedNatsFailed

RUN_A_SERVER = """
import asyncio, sys
from pathlib import Path
from deskwire_shared.runtime.embedded_nats import EmbeddedNats

async def main():
    server = EmbeddedNats(Path(sys.argv[1]), port=0)
    await server.start()
    print("ready", server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def becomes(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # another process has no event to wait for
            await asyncio.sleep(0.01)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").is_dir() else True


def listens(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname or "", address.port or 0)) == 0


@contextlib.asynccontextmanager
async def supervised(server: EmbeddedNats) -> AsyncIterator[asyncio.Task[None]]:
    await server.start()
    watching = asyncio.create_task(server.supervise())
    try:
        yield watching
    finally:
        await server.stop()
        await asyncio.wait([watching])


async def stream_names(url: str) -> list[str]:
    client = await nats.connect(url)
    try:
        return [stream.config.name or "" for stream in await client.jetstream().streams_info()]
    finally:
        await client.close()


async def make_stream(url: str, name: str) -> None:
    client = await nats.connect(url)
    try:
        await client.jetstream().add_stream(name=name, subjects=[f"{name}.>"])
    finally:
        await client.close()


async def test_a_started_server_answers_with_jetstream(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path, port=0) as server:
        await make_stream(server.url, "TICKETS")
        assert await stream_names(server.url) == ["TICKETS"]


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path, port=0) as server:
        await make_stream(server.url, "TICKETS")
    async with EmbeddedNats(tmp_path, port=0) as server:
        assert await stream_names(server.url) == ["TICKETS"]


async def test_every_write_is_synced_unless_told_otherwise(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path, port=0) as server:
        client = await nats.connect(server.system_url)
        try:
            answer = await client.request("$SYS.REQ.SERVER.PING.JSZ", b'{"config": true}')
        finally:
            await client.close()
    assert json.loads(answer.data)["data"]["config"]["sync_always"] is True


async def test_nobody_gets_in_without_the_password(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path, port=0) as server:
        address = urlsplit(server.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"CONNECT {}\r\nPING\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert b"-ERR 'Authorization Violation'" in answer


async def test_the_files_of_the_server_are_closed_to_others(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path, port=0):
        assert stat.S_IMODE((tmp_path / "nats").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "nats" / "nats.conf").stat().st_mode) == 0o600


async def test_the_wished_port_is_taken_when_it_is_free(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    async with EmbeddedNats(tmp_path, port=free) as server:
        assert server.url.endswith(f":{free}")


async def test_another_port_is_found_when_the_wished_one_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        async with EmbeddedNats(tmp_path, port=taken) as server:
            assert not server.url.endswith(f":{taken}")
            assert await stream_names(server.url) == []


async def test_two_servers_on_one_data_directory_are_refused(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path, port=0) as server:
        with pytest.raises(DataDirectoryBusy, match=str(os.getpid())):
            await EmbeddedNats(tmp_path, port=0).start()
        assert await stream_names(server.url) == []


async def test_a_stopped_server_is_gone_and_its_directory_free(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path, port=0)
    await server.start()
    pid = server.pid
    await server.stop()
    assert pid is not None
    assert not lives(pid)
    assert server.pid is None
    async with EmbeddedNats(tmp_path, port=0):
        pass


async def test_a_server_that_cannot_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedNatsFailed, match="sync_interval"):
        await EmbeddedNats(tmp_path, port=0, sync_interval='"nonsense"').start()
    async with EmbeddedNats(tmp_path, port=0):
        pass


async def test_a_server_that_is_too_old_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_nats, "is_recent_enough", lambda _: False)
    server = EmbeddedNats(tmp_path, port=0)
    with pytest.raises(EmbeddedNatsFailed, match=r"too old: Deskwire needs 2\.14"):
        await server.start()
    assert server.pid is None


async def test_a_killed_server_comes_back_on_the_same_address(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path, port=0)
    async with supervised(server):
        await make_stream(server.url, "TICKETS")
        address, killed = server.url, server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await becomes(lambda: server.pid not in {None, killed})
        await becomes(lambda: listens(address))
        assert server.url == address
        assert await stream_names(address) == ["TICKETS"]


async def test_a_server_that_keeps_dying_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_nats, "_MOST_DEATHS", 2)
    server = EmbeddedNats(tmp_path, port=0)
    async with supervised(server) as watching:
        monkeypatch.setattr(embedded_nats, "render_configuration", lambda *_, **__: "nonsense {")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(EmbeddedNatsFailed, match="died 3 times in a row"):
            await asyncio.wait_for(watching, 10)


async def test_a_server_that_is_stopped_is_not_started_again(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path, port=0)
    async with supervised(server) as watching:
        await server.stop()
        await asyncio.wait_for(watching, 10)
        assert server.pid is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_the_server_ends_with_a_killed_parent(tmp_path: Path) -> None:
    parent, server = await _parent_with_server(tmp_path)
    parent.kill()
    await parent.wait()
    await becomes(lambda: not lives(server))


async def test_a_new_server_follows_at_once_on_a_killed_parent(tmp_path: Path) -> None:
    parent, _ = await _parent_with_server(tmp_path)
    parent.kill()
    await parent.wait()
    async with EmbeddedNats(tmp_path, port=0) as server:
        assert await stream_names(server.url) == []


async def _parent_with_server(data_dir: Path) -> tuple[asyncio.subprocess.Process, int]:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN_A_SERVER, data_dir, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async for line in parent.stdout:
        if line.startswith(b"ready"):
            return parent, int(line.split()[1])
    raise AssertionError("the server did not start")
