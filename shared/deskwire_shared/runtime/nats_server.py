"""What the embedded NATS server is started with: its program, its passwords, its configuration."""

import json
import re
import secrets
import shutil
import sysconfig
from dataclasses import asdict, dataclass
from pathlib import Path

from deskwire_shared.runtime.data_directory import write_private

MINIMUM_VERSION = (2, 14)
"""Message schedules, which carry the timers, came with nats-server 2.14."""

MAX_PAYLOAD = 4 * 1024 * 1024
"""Bytes of one message. A commit holds at most a mail's text; attachments live in the object store."""

USER = "deskwire"
SYSTEM_USER = "deskwire-system"


class NatsServerMissing(Exception):
    """No nats-server program is installed."""

    def __init__(self) -> None:
        super().__init__(
            "no nats-server found. Install it with `pip install 'deskwire-shared[embedded]'`, "
            "put a nats-server of 2.14 or newer on the PATH, or point DESKWIRE_NATS_URL at a running one."
        )


@dataclass(frozen=True)
class Credentials:
    """The passwords of the embedded server's two users: the services and the system account."""

    password: str
    system_password: str


def find_program() -> Path:
    """Find nats-server: the one installed beside this Python first, else one on the PATH."""
    beside_python = shutil.which("nats-server", path=sysconfig.get_path("scripts"))
    program = beside_python or shutil.which("nats-server")
    if program is None:
        raise NatsServerMissing
    return Path(program)


def is_recent_enough(version: str) -> bool:
    """Say whether a server of this version can carry Deskwire."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2]) >= MINIMUM_VERSION


def load_or_create_credentials(file: Path) -> Credentials:
    """Read the passwords, or make them up on the first start, readable for our own user only."""
    try:
        return Credentials(**json.loads(file.read_text()))
    except FileNotFoundError:
        credentials = Credentials(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        write_private(file, json.dumps(asdict(credentials), indent=2) + "\n")
        return credentials


def render_configuration(folder: Path, credentials: Credentials, *, port: int, sync_interval: str) -> str:
    """Write down the server's configuration: loopback only, file storage, two accounts; port -1 is any."""
    return f"""\
server_name: "deskwire"
listen: "127.0.0.1:{port}"
max_payload: {MAX_PAYLOAD}
ports_file_dir: {_quoted(folder)}
log_file: {_quoted(folder / "nats.log")}
logfile_size_limit: 10MB
logfile_max_num: 3
jetstream {{
  store_dir: {_quoted(folder)}
  sync_interval: {sync_interval}
}}
accounts {{
  DESKWIRE {{ jetstream: enabled, users: [{{ user: "{USER}", password: "{credentials.password}" }}] }}
  SYS {{ users: [{{ user: "{SYSTEM_USER}", password: "{credentials.system_password}" }}] }}
}}
system_account: SYS
"""


def _quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)
