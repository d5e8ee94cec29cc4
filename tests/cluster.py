"""The desk on a cluster of three NATS servers, with the configuration of the deployment."""

import contextlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from processes import LOOPBACK, Desk, free_ports

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nats" / "cluster.conf"
SERVERS = ("nats-1", "nats-2", "nats-3")


@dataclass
class ClusterDesk(Desk):
    """Five services and three servers, each of which can be killed and started again."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.settings |= {"DESKWIRE_DURABILITY": "cluster"}
        ports = free_ports(3 * len(SERVERS))
        self.ports |= dict(zip(SERVERS, ports, strict=False))
        self.routes = dict(zip(SERVERS, ports[3:], strict=False))
        self.monitoring = dict(zip(SERVERS, ports[6:], strict=False))
        for name in SERVERS:
            (self.folder / f"{name}.conf").write_text(self._configuration(name))

    @property
    def servers(self) -> tuple[str, ...]:
        return SERVERS

    @property
    def nats_url(self) -> str:
        return ",".join(f"nats://deskwire:abc123@{LOOPBACK}:{self.ports[name]}" for name in SERVERS)

    def environment(self, name: str) -> dict[str, str]:
        return super().environment(name) | {
            "DESKWIRE_NATS_SYSTEM_URL": self.nats_url.replace("deskwire:abc123", "deskwire-system:def456"),
            "DESKWIRE_NATS_NAME": name,
            "DESKWIRE_NATS_STORE": str(self.folder / "jetstream" / name),
            "DESKWIRE_NATS_ROUTES": f"[{', '.join(self._route(server) for server in SERVERS)}]",
            "DESKWIRE_NATS_PASSWORD": "abc123",
            "DESKWIRE_NATS_SYSTEM_PASSWORD": "def456",
            "DESKWIRE_NATS_CLUSTER_PASSWORD": "ghi789",
        }

    def _configuration(self, name: str) -> str:
        """The deployment's, with the ports of this server."""
        text = CONFIGURATION.read_text()
        ports = {"4222": self.ports, "6222": self.routes, "8222": self.monitoring}
        for port, mine in ports.items():
            text = text.replace(f"0.0.0.0:{port}", f"{LOOPBACK}:{mine[name]}")
        return text

    def _route(self, name: str) -> str:
        return f"nats://deskwire:ghi789@{LOOPBACK}:{self.routes[name]}"

    def _is_ready(self, name: str) -> bool:
        """A server is, once it has caught up with the others."""
        if name not in SERVERS:
            return super()._is_ready(name)
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.monitoring[name]}/healthz", timeout=3) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[ClusterDesk]:
    """Five ready services on three servers, stopped at the end."""
    desk = ClusterDesk(folder)
    try:
        desk.start()
        yield desk
    finally:
        desk.stop()
