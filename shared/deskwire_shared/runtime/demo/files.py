"""The files that customers of the demo desk send along."""

import hashlib
import struct
import zlib
from typing import Final

from obstore.store import ObjectStore

from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.runtime.objects import Objects

WIDTH, HEIGHT = 320, 200
BOX_WIDTH, BOX_HEIGHT = range(60, 260), range(50, 170)

LOG: Final = """\
2026-11-20T18:02:11Z app 7.3.0 (7301) android 16
2026-11-20T18:02:11Z device fjord-one fw 4.2.1 battery 74/71/88
2026-11-20T18:02:12Z bluetooth connected codec=aptx rssi=-48
2026-11-20T18:02:14Z equaliser open theme=dark
2026-11-20T18:02:14Z ERROR NullReference at EqualiserView.render(EqualiserView:211)
2026-11-20T18:02:15Z sync failed: 409 device list is newer than 7.1.4
"""
STATEMENT: Final = """\
date;text;amount
2026-11-03;FERNWEH PLUS WEB;-4.90
2026-11-03;FERNWEH PLUS STORE;-4.90
2026-11-09;GROCERIES;-61.20
"""


async def keep_file(objects: ObjectStore, filename: str) -> Attachment:
    """Put a file where attachments are kept."""
    content, content_type = _content(filename)
    digest = hashlib.sha256(content).hexdigest()
    key = f"attachments/{digest[:2]}/{digest}"
    await Objects(objects).put(key, content)
    return Attachment(key=key, filename=filename, content_type=content_type, size=len(content), sha256=digest)


def _content(filename: str) -> tuple[bytes, str]:
    match filename.rpartition(".")[2]:
        case "png":
            return _picture(), "image/png"
        case "csv":
            return STATEMENT.encode(), "text/csv"
        case _:
            return LOG.encode(), "text/plain"


def _picture() -> bytes:
    """Draw a PNG of a torn box, in two colours and a shadow."""
    rows = (bytes([0, *(value for x in range(WIDTH) for value in _pixel(x, y))]) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"".join(rows))) + _chunk(
        b"IEND", b""
    )  # fmt: skip


def _pixel(x: int, y: int) -> tuple[int, int, int]:
    is_box = x in BOX_WIDTH and y in BOX_HEIGHT
    is_tear = is_box and abs(x - 2 * y + 60) < 9 + (x * y) % 7
    if is_tear:
        return 40, 32, 28
    return (196 - y // 4, 150 - y // 5, 96) if is_box else (226 - y // 8, 228 - y // 8, 232 - y // 10)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
