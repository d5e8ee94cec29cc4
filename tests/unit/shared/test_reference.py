"""The reference says what the code says."""

from pathlib import Path

import pytest

from deskwire_shared.contracts.facts import FACTS
from deskwire_shared.runtime.reference import reference, write_reference
from deskwire_shared.runtime.telling import PHRASES

COMMITTED = Path(__file__).parents[3] / "docs" / "reference"
GENERATED = ("facts.md", "directory.md", "settings.md", "cli.md")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference()


def test_the_reference_is_up_to_date(pages: dict[str, str]) -> None:
    stale = [name for name, text in pages.items() if not _is(COMMITTED / name, text)]
    assert stale == [], "run `make docs`"


def test_the_reference_describes_nothing_that_is_gone(pages: dict[str, str]) -> None:
    committed = {f"schemas/{file.name}" for file in (COMMITTED / "schemas").glob("*.json")}
    assert committed - set(pages) == set(), "run `make docs`"


def test_writing_it_removes_the_schemas_of_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "ticket.forgotten.v1.json").write_text("{}")
    written = write_reference(tmp_path)
    assert not (tmp_path / "schemas" / "ticket.forgotten.v1.json").exists()
    assert all(file.read_text() for file in written)


def test_every_fact_has_its_section_schema_and_writer(pages: dict[str, str]) -> None:
    for name in FACTS:
        assert f"## {name}\n" in pages["facts.md"]
        assert f"schemas/{name}.json" in pages


def test_every_setting_is_explained(pages: dict[str, str]) -> None:
    rows = [line for line in pages["settings.md"].splitlines() if line.startswith("| `DESKWIRE_")]
    assert len(rows) > 30
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_command_says_what_it_is_for(pages: dict[str, str]) -> None:
    sections = pages["cli.md"].split("\n## ")[1:]
    assert len(sections) > 15
    for section in sections:
        heading, _, rest = section.partition("\n\n")
        assert rest.strip()[:1].isupper(), heading


def test_every_fact_can_be_told_in_words() -> None:
    assert set(PHRASES) == set(FACTS)


def _is(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") == text


def test_what_stands_below_a_field_and_inside_of_documents_is_told(pages: dict[str, str]) -> None:
    lines = pages["directory.md"].splitlines()
    assert any(line.startswith("| `stop` |") and "No later rule is asked" in line for line in lines)
    assert {"### SlaTarget", "### CallWebhook", "### ImapMailbox", "### Conditions"} <= set(lines)
    tables = [line for line in lines if line.startswith("|")]
    assert [line for line in tables if not line.endswith(" |")] == []
