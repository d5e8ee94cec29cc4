"""The process that reads large mails for intake: lengths and mails on standard input, pickles on standard output."""

import pickle
import signal
import sys
from typing import BinaryIO

from deskwire_intake.reading import LENGTH_BYTES, read_mail


def main() -> None:
    """Read mails until the input ends."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group by terminals and systemd
        signal.signal(ending, signal.SIG_IGN)  # the mail at hand is read to its end; the parent closes the pipe
    _send(sys.stdout.buffer, b"")
    while length := sys.stdin.buffer.read(LENGTH_BYTES):
        raw = sys.stdin.buffer.read(int.from_bytes(length))
        _send(sys.stdout.buffer, pickle.dumps(read_mail(raw)))


def _send(output: BinaryIO, data: bytes) -> None:
    output.write(len(data).to_bytes(LENGTH_BYTES))
    output.write(data)
    output.flush()


if __name__ == "__main__":
    main()
