"""A port that cannot be had is told with the setting to change."""

import asyncio
import socket

import pytest

from deskwire_shared.runtime.listening import CannotListen, bind

LOOPBACK = "127.0.0.1"


def test_a_free_port_is_bound_and_not_listened_on_yet() -> None:
    with bind(LOOPBACK, 0, setting="DESKWIRE_HTTP_PORT") as bound:
        port = bound.getsockname()[1]
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect((LOOPBACK, port))


def test_a_port_that_is_used_is_told_with_its_setting() -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"port {port} on {LOOPBACK} is used .* DESKWIRE_HTTP_PORT"):
            bind(LOOPBACK, port, setting="DESKWIRE_HTTP_PORT")


def test_an_address_of_another_machine_is_told_with_both_settings() -> None:
    with pytest.raises(CannotListen, match="DESKWIRE_BIND_HOST and DESKWIRE_SMTP_PORT"):
        bind("192.0.2.1", 0, setting="DESKWIRE_SMTP_PORT")


def test_an_ipv6_address_is_bound() -> None:
    with bind("::1", 0, setting="DESKWIRE_HTTP_PORT") as bound:
        assert bound.family is socket.AF_INET6


async def test_answers_leave_without_waiting_for_more_to_send() -> None:
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(serve, sock=bind(LOOPBACK, 0, setting="DESKWIRE_HTTP_PORT")) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await accepted
        writer.close()
