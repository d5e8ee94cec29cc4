"""A real Dovecot for tests: IMAP and LMTP on loopback, mails in a folder of its own, one password for everybody."""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from processes import LOOPBACK, free_ports

PASSWORD = "as-the-sun-sets"
START_SECONDS = 10.0
ADVICE = """\
No Dovecot found: the tests of mailboxes cannot run.
Install it (`apt-get install dovecot-imapd dovecot-lmtpd`); it need not be set up or running."""

CONF = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = {loopback}
ssl = {ssl}
disable_plaintext_auth = no
auth_mechanisms = plain login{oauth_mechanisms}
auth_failure_delay = 0
default_internal_user = {internal_user}
default_internal_group = {internal_group}
default_login_user = {login_user}
mail_location = {mail_format}:{folder}/mail/%u
mail_max_userip_connections = 100
first_valid_uid = 0
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={folder}/mail/%u
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
{more}
"""
OAUTH = """\
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""
OAUTH_CONF = """\
introspection_mode = get
introspection_url = {url}
username_attribute = username
"""


@dataclass
class Dovecot:
    """A mail server that can be killed and started again; `tls` is a certificate and its key."""

    folder: Path
    tls: tuple[Path, Path] | None = None
    introspection_url: str = ""
    """Where access tokens are looked up."""
    more: str = ""
    """More lines of configuration."""
    mail_format: str = "maildir"
    """Maildir can be numbered anew; sdbox numbers mails in the order in which they come."""
    ports: list[int] = field(default_factory=lambda: free_ports(3))
    _process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Where mails are read."""
        return self.ports[0]

    @property
    def tls_port(self) -> int:
        """The same, with TLS from the first byte."""
        return self.ports[1]

    @property
    def log(self) -> str:
        """What the server has logged so far."""
        return (self.folder / "dovecot.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, and wait until it takes mails in and gives them out."""
        self._write_configuration()
        shutil.rmtree(self.folder / "run", ignore_errors=True)  # sockets of one that was killed
        self._process = subprocess.Popen(
            [_program() or "dovecot", "-F", "-c", self.folder / "dovecot.conf"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # so that all its processes can be ended, and no others
        )
        deadline = time.monotonic() + START_SECONDS
        while not all(_greets(port) for port in (self.ports[0], self.ports[2])):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"Dovecot does not start:\n{self.log[-3000:]}")
            time.sleep(0.01)

    def kill(self) -> None:
        """`kill -9` all its processes."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it as an administrator does."""
        self._end(signal.SIGTERM)

    def deliver(self, user: str, mails: Sequence[bytes], *, deadline: float | None = None) -> None:
        """Deliver mails by LMTP, each until it was taken."""
        waiting = list(mails)
        while waiting:
            try:
                with smtplib.LMTP(LOOPBACK, self.ports[2], timeout=20) as lmtp:
                    while waiting:
                        lmtp.sendmail("sender@example.com", [user], waiting[0])
                        waiting.pop(0)
            except (OSError, smtplib.SMTPException):
                if deadline is None or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    @contextlib.contextmanager
    def client(self, user: str) -> Iterator[Any]:
        """A person's mail program."""
        with IMAPClient(LOOPBACK, self.port, ssl=False, timeout=20) as client:
            client.login(user, PASSWORD)
            yield client

    def count(self, user: str, criteria: str = "ALL", folder: str = "INBOX") -> int:
        """How many mails of a folder match."""
        with self.client(user) as client:
            client.select_folder(folder, readonly=True)
            return len(client.search(criteria.split()))

    def forget_numbers(self, user: str) -> None:
        """Lose what gives the mails of a mailbox their numbers and flags; the server must not run."""
        box = self.folder / "mail" / user
        for file in box.glob("dovecot*"):
            file.unlink()
        for mail in (box / "cur").iterdir():
            mail.rename(mail.with_name(mail.name.partition(":")[0] + ":2,"))

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None

    def _write_configuration(self) -> None:
        me = pwd.getpwuid(os.geteuid())
        mail = pwd.getpwnam("nobody") if me.pw_uid == 0 else me  # mails are never served as root
        internal = ("dovecot", "dovecot", "dovenull") if me.pw_uid == 0 else (me.pw_name, _group(me), me.pw_name)
        certificate = "" if self.tls is None else "ssl_cert = <{}\nssl_key = <{}\n".format(*self.tls)
        oauth = OAUTH.format(folder=self.folder) if self.introspection_url else ""
        (self.folder / "mail").mkdir(exist_ok=True)
        os.chown(self.folder / "mail", mail.pw_uid, mail.pw_gid)
        (self.folder / "oauth2.conf").write_text(OAUTH_CONF.format(url=self.introspection_url))
        (self.folder / "dovecot.conf").write_text(
            CONF.format(
                folder=self.folder,
                loopback=LOOPBACK,
                password=PASSWORD,
                ssl="no" if self.tls is None else "yes",
                oauth_mechanisms=" xoauth2 oauthbearer" if self.introspection_url else "",
                internal_user=internal[0],
                internal_group=internal[1],
                login_user=internal[2],
                mail_uid=mail.pw_uid,
                mail_gid=mail.pw_gid,
                imap_port=self.ports[0],
                imaps_port=0 if self.tls is None else self.ports[1],
                lmtp_port=self.ports[2],
                more=certificate + oauth + self.more,
                mail_format=self.mail_format,
            )
        )


@contextlib.contextmanager
def running_dovecot(
    *,
    tls: tuple[Path, Path] | None = None,
    introspection_url: str = "",
    more: str = "",
    mail_format: str = "maildir",
) -> Iterator[Dovecot]:
    """Start a Dovecot; without one on this machine the test is skipped, or fails in continuous integration."""
    require_dovecot()
    # Not pytest's tmp_path: its processes run as other users, who may not look into it.
    folder = Path(tempfile.mkdtemp(prefix="deskwire-dovecot-"))
    folder.chmod(0o755)
    server = Dovecot(folder, tls, introspection_url, more, mail_format)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def require_dovecot() -> None:
    """Skip the test where there is no Dovecot, or fail in continuous integration."""
    if _program() is not None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(ADVICE)
    pytest.skip(ADVICE)


def _program() -> str | None:
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _group(user: pwd.struct_passwd) -> str:
    return grp.getgrgid(user.pw_gid).gr_name


def _greets(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as probe:
            return bool(probe.recv(1))
    except OSError:
        return False
