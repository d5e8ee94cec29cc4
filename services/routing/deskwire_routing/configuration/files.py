"""The files of a configuration, and the desk they are compared with."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from deskwire_routing.configuration.changes import Change, Present, changes, written
from deskwire_routing.configuration.checking import check
from deskwire_routing.configuration.documents import KINDS, REFERABLE, Configured, Fault, FaultyConfiguration, Key
from deskwire_routing.configuration.reading import read_documents
from deskwire_shared.contracts.commit import Actor
from deskwire_shared.contracts.directory import View
from deskwire_shared.contracts.document import Document
from deskwire_shared.contracts.rules import Rule
from deskwire_shared.directory.port import Directory

MOST_FILES: Final = 5_000
MOST_BYTES: Final = 1_000_000


def read_configuration(paths: Iterable[Path], *, alone: str | None = None) -> list[Configured]:
    """Read files, and folders with all that is in them; `alone` is the kind of a document that tells none.

    Raises FaultyConfiguration.
    """
    found: list[Configured] = []
    faults: list[Fault] = []
    for number, file in enumerate(_files(paths)):
        if number >= MOST_FILES:
            raise FaultyConfiguration([Fault(str(file), "", f"more than {MOST_FILES} files are not read")])
        try:
            found += read_documents(file.as_posix(), content_of(file), alone=alone)
        except FaultyConfiguration as error:
            faults += error.faults
    if faults:
        raise FaultyConfiguration(faults)
    return found


def read_rules(paths: Iterable[Path]) -> dict[str, Rule]:
    """Read the rules of a configuration; a file with nothing but a rule has the rule's id for its name.

    Raises FaultyConfiguration.
    """
    configured = read_configuration(paths, alone="rule")
    rules = {one.key.id: one.document for one in configured if isinstance(one.document, Rule)}
    if not rules:
        raise FaultyConfiguration([Fault(", ".join(map(str, paths)), "", "there is no rule")])
    return rules


def planned(configured: list[Configured], directory: Directory) -> list[Change]:
    """Compare a configuration with a desk. Raises FaultyConfiguration."""
    check(configured, _names(directory))
    return changes(configured, _present(directory))


async def store(plan: Iterable[Change], directory: Directory, actor: Actor) -> None:
    """Carry a plan out. Raises RevisionConflict when somebody changed a document in between."""
    for change in plan:
        await directory.put(change.key.id, change.document, actor=actor, expected_revision=change.revision)


def write_configuration(directory: Directory, folder: Path) -> int:
    """Write what is configured into a folder; how many documents there are."""
    documents = {key: one.document for key, one in _present(directory).items() if not _is_private(one.document)}
    for key, document in documents.items():
        file = folder / key.kind / f"{key.id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{json.dumps(written(document), indent=2, ensure_ascii=False)}\n", encoding="utf-8")
    return len(documents)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise FaultyConfiguration([Fault(path.as_posix(), "", "there is no such file or folder")])
        yield from sorted(path.rglob("*.json")) if path.is_dir() else [path]


def content_of(file: Path) -> bytes:
    """Read a file of configuration, which has a limited size. Raises FaultyConfiguration."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FaultyConfiguration([Fault(file.as_posix(), "", f"this cannot be read: {reason}")]) from error
    if len(content) > MOST_BYTES:
        raise FaultyConfiguration([Fault(file.as_posix(), "", f"this is larger than {MOST_BYTES} bytes")])
    return content


def _names(directory: Directory) -> Mapping[Key, str]:
    return {
        Key(kind, document_id): str(getattr(document, "name", ""))
        for kind, model in REFERABLE.items()
        for document_id, document in directory.all(model).items()
    }


def _present(directory: Directory) -> dict[Key, Present]:
    return {
        Key(kind, document_id): Present(document, directory.revision(model, document_id))
        for kind, model in KINDS.items()
        for document_id, document in sorted(directory.all(model).items())
    }


def _is_private(document: Document) -> bool:
    return isinstance(document, View) and document.agent_id is not None
