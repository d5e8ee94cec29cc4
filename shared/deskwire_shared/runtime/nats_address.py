"""Takes the login out of the addresses of NATS servers, so that it is shown to every server of a cluster.

A client knows the login of the servers it was told of, and none for those that they tell it of
(https://github.com/nats-io/nats.py, `connect_urls`): it would be refused by these, and be closed for good.
"""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import SecretStr


@dataclass(frozen=True, kw_only=True)
class NatsAddress:
    """Where the servers are, and who we are to them."""

    servers: list[str]
    user: str | None = None
    password: str | None = None
    token: str | None = None

    @property
    def login(self) -> dict[str, str]:
        """What is shown to a server, as `nats.connect` takes it."""
        named = {"user": self.user, "password": self.password, "token": self.token}
        return {name: value for name, value in named.items() if value is not None}


def nats_address(url: SecretStr) -> NatsAddress:
    """Read a setting that names servers, separated by commas; the first login counts for all of them."""
    urls = [urlsplit(server.strip()) for server in url.get_secret_value().split(",")]
    servers = [urlunsplit(one._replace(netloc=one.netloc.rpartition("@")[2])) for one in urls]
    login = next((one for one in urls if one.username), None)
    if login is None or login.username is None:
        return NatsAddress(servers=servers)
    if login.password is None:
        return NatsAddress(servers=servers, token=unquote(login.username))
    return NatsAddress(servers=servers, user=unquote(login.username), password=unquote(login.password))
