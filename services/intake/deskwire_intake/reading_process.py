"""The process that reads large mails for intake: lengths and mails on standard input, pickles on standard output."""

import pickle
import signal
import sys
from typing import BinaryIO

from deskwire_intake.reading import LENGTH_BYTES, read_mail


def main() -> None:
    """Read mails until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes the pipe
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
