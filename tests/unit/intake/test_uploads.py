"""Files that people send are kept under their digest, once, and as what they are."""

import hashlib
from io import BytesIO

from obstore.store import MemoryStore

from deskwire_intake.attachments import attachment_key, keep_upload
from deskwire_shared.runtime.objects import Objects

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


async def test_a_file_is_kept_under_its_digest_and_once() -> None:
    objects = Objects(MemoryStore())
    one = await keep_upload(objects, BytesIO(PNG), filename="a.png", content_type="image/png")
    two = await keep_upload(objects, BytesIO(PNG), filename="b.png", content_type="image/png")
    assert one.key == two.key == attachment_key(hashlib.sha256(PNG).hexdigest())
    assert (one.filename, two.filename, one.size) == ("a.png", "b.png", len(PNG))
    assert await objects.get(one.key) == PNG


async def test_a_file_that_is_called_what_it_is_not_is_kept_as_what_it_is() -> None:
    kept = await keep_upload(Objects(MemoryStore()), BytesIO(b"%PDF-1.7\n"), filename="a.png", content_type="image/png")
    assert kept.content_type == "application/pdf"


async def test_an_empty_file_is_a_file() -> None:
    kept = await keep_upload(Objects(MemoryStore()), BytesIO(), filename="", content_type="")
    assert (kept.size, kept.filename, kept.content_type) == (0, "attachment", "application/octet-stream")
