"""Where requests may go: to the public internet only, so that nobody reaches into our network through the desk."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from deskwire_notify.undeliverable import NotReady, Undeliverable

LOOKUP_SECONDS: Final = 10.0
PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Destination:
    """A server by the address that was checked; asking for it again by its name could lead elsewhere."""

    host: str
    port: int
    ip: str


async def destination_of(url: str, *, allow_private: bool = False) -> Destination:
    """Look up where a request would go. Raises Undeliverable for a place that must not be reached, NotReady."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise Undeliverable("the address of the request cannot be read") from error
    if not host or parts.username is not None or parts.scheme not in (PORTS if allow_private else {"https"}):
        raise Undeliverable("the address of the request is none that starts with https://")
    addresses = await _look_up(host, port)
    if not allow_private and not all(map(is_public, addresses)):
        raise Undeliverable(f"{host} is not on the public internet")
    return Destination(host, port, str(addresses[0]))


async def _look_up(host: str, port: int) -> list[Ip]:
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise NotReady(f"{host} cannot be found") from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def is_public(ip: Ip) -> bool:
    """Whether an address is one of the public internet, also where it is wrapped in one of IPv6."""
    wrapped = _wrapped(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    if wrapped is not None:
        return is_public(wrapped)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _wrapped(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that one of IPv6 stands for (RFC 4291, 3056, 4380, 6052)."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
