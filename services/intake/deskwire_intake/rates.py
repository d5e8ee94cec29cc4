"""How much one client may ask of a channel: so many at once, and so many in a while."""

import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

REMEMBERED: Final = 50_000
"""Clients a limit knows at a time; whoever asked longest ago is forgotten first."""
IPV6_NETWORK: Final = 64
"""The bits of an IPv6 address that name a household; the rest it chooses as it likes."""


class NoPlace(Exception):
    """All places are taken; `is_full` tells whether by everybody together or by one client alone."""

    def __init__(self, *, is_full: bool) -> None:
        super().__init__("there is no place at this moment" if is_full else "this client has taken all its places")
        self.is_full = is_full


class RateLimit:
    """So many times within some seconds: all at once, or spread (the generic cell rate algorithm)."""

    def __init__(
        self, most: int, seconds: float, *, remembered: int = REMEMBERED, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._step = seconds / most
        self._burst = seconds - self._step
        self._remembered = remembered
        self._clock = clock
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str = "") -> float:
        """Count one time for somebody; the seconds to wait, and nothing counted, when it is one too many."""
        now = self._clock()
        free_at = max(self._free_at.get(key, now), now)
        wait = free_at - now - self._burst
        if wait > 0:
            return wait
        self._free_at[key] = free_at + self._step
        self._free_at.move_to_end(key)
        if len(self._free_at) > self._remembered:
            self._free_at.popitem(last=False)
        return 0.0


class Places:
    """So many at the same time, in all and for each client."""

    def __init__(self, most: int, most_each: int) -> None:
        self.most = most
        self._most_each = most_each
        self._held: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self._held.total()

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        """Hold a place. Raises NoPlace."""
        if self.taken >= self.most:
            raise NoPlace(is_full=True)
        if self._held[client] >= self._most_each:
            raise NoPlace(is_full=False)
        self._held[client] += 1
        try:
            yield
        finally:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]


def client_of(host: str) -> str:
    """What counts as one client: an address, of IPv6 the network that one household has."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:  # a socket of this machine has no address
        return host
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, IPV6_NETWORK), strict=False))
    return str(address)
