"""Sockets that services listen on, with a clear word when one cannot be had."""

import errno
import socket
import ssl
from pathlib import Path


class CannotListen(Exception):
    """The address cannot be listened on; the sentence names the setting to change."""


def bind(host: str, port: int, *, setting: str) -> socket.socket:
    """Bind a TCP socket for a server to listen on. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol asyncio would leave Nagle's algorithm on, which holds answers back for 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise CannotListen(_reason(error, host, port, setting)) from error
    return bound


def bind_unix(path: Path, *, setting: str) -> socket.socket:
    """Bind a Unix socket for a server to listen on; one that nobody listens on is replaced. Raises CannotListen."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket() and not _is_listened_on(path):
            path.unlink()
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        raise CannotListen(f"cannot listen on {path}: {error.strerror or error}; see {setting}") from error
    return bound


def server_tls(certificate: Path, key: Path, *, setting: str) -> ssl.SSLContext:
    """What a server encrypts with. Raises CannotListen when the files are not a certificate and its key."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise CannotListen(f"cannot use {certificate} with {key}: {error.strerror or error}; see {setting}") from error
    return context


def _is_listened_on(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def _reason(error: OSError, host: str, port: int, setting: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is used by another program; stop it, or choose another port with {setting}"
        case errno.EACCES:
            return f"port {port} on {host} is for the administrator of this machine; choose another with {setting}"
        case _:
            return f"cannot listen on {host}, port {port}: {error.strerror}; see DESKWIRE_BIND_HOST and {setting}"
