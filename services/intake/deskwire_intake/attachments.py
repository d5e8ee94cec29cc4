"""Files of messages: kept under the digest of their content, each content once."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from deskwire_intake.channels.port import IncomingFile
from deskwire_intake.fitting import fitted_line
from deskwire_intake.scanning import CLEAN, NO_SCANNER, Finding, Scanner
from deskwire_intake.sniffing import HEAD_BYTES, UNKNOWN_TYPE, type_of
from deskwire_shared.contracts.facts import Attachment
from deskwire_shared.runtime.objects import Objects, pieces_of, size_of
from deskwire_shared.ticket import limits

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,127}/[\w.+-]{1,127}\Z", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def attachment_key(sha256: str) -> str:
    """Where a content is kept."""
    return f"attachments/{sha256[:2]}/{sha256}"


def quarantine_key(sha256: str) -> str:
    """Where an infected content is kept, for nobody but those who look after the desk."""
    return f"quarantine/{sha256[:2]}/{sha256}"


async def keep_files(
    objects: Objects, files: Sequence[IncomingFile], *, scanner: Scanner = NO_SCANNER
) -> tuple[Attachment, ...]:
    """Keep the files of a message; those beyond the desk's limit stay in the raw message alone.

    Raises ObjectStoreUnavailable, ScannerUnavailable or TooLargeToScan.
    """
    kept = files[: limits.ATTACHMENTS]
    contents = {file.sha256: file.content for file in kept}
    findings = await _findings(contents, scanner)
    await asyncio.gather(*(objects.put(_key(sha256, findings[sha256]), contents[sha256]) for sha256 in contents))
    return tuple(_attachment(file, findings[file.sha256]) for file in kept)


async def _findings(contents: Mapping[str, bytes], scanner: Scanner) -> dict[str, Finding]:
    """Scan the files of a message; a scanner that is away is not waited for again with each of them."""
    findings: dict[str, Finding] = {}
    finding = CLEAN
    for sha256, content in contents.items():
        finding = finding if finding.unscanned else await scanner.scan(content)
        findings[sha256] = finding
    return findings


async def keep_upload(
    objects: Objects, file: BinaryIO, *, filename: str, content_type: str, scanner: Scanner = NO_SCANNER
) -> Attachment:
    """Keep a file that somebody has sent, whatever they call it; it is read in pieces, and never held whole.

    Raises ObjectStoreUnavailable, ScannerUnavailable or TooLargeToScan.
    """
    sha256, size, head = await asyncio.to_thread(_looked_through, file)
    finding = await scanner.scan(file)
    await objects.put(_key(sha256, finding), file)
    return Attachment(
        key=_key(sha256, finding),
        filename=safe_name(filename),
        content_type=type_of(head, safe_type(content_type)),
        size=size,
        sha256=sha256,
        infected=finding.infected,
        unscanned=finding.unscanned,
    )


def _looked_through(file: BinaryIO) -> tuple[str, int, bytes]:
    """The digest of a file, its size, and how it begins."""
    digest, head = hashlib.sha256(), b""
    for piece in pieces_of(file):
        digest.update(piece)
        head = head or piece[:HEAD_BYTES]
    return digest.hexdigest(), size_of(file), head


def _key(sha256: str, finding: Finding) -> str:
    return attachment_key(sha256) if finding.infected is None else quarantine_key(sha256)


def _attachment(file: IncomingFile, finding: Finding) -> Attachment:
    return Attachment(
        key=_key(file.sha256, finding),
        filename=fitted_line(file.filename),
        content_type=type_of(file.content[:HEAD_BYTES], fitted_line(file.content_type) or UNKNOWN_TYPE),
        size=len(file.content),
        sha256=file.sha256,
        content_id=fitted_line(file.content_id) if file.content_id else None,
        inline=file.inline,
        infected=finding.infected,
        unscanned=finding.unscanned,
        invitation=file.invitation,
        mail=file.mail,
    )


def safe_name(name: str) -> str:
    """Keep the last step of a path, on one line."""
    last = re.split(r"[/\\]", _UNPRINTABLE.sub("", name))[-1].strip(". ")
    return fitted_line(last) or "attachment"


def safe_type(content_type: str) -> str:
    """Keep the bare media type that somebody claims for a file."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.match(kind) else UNKNOWN_TYPE
