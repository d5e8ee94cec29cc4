"""The documentation leads to pages that exist and names commands and settings that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "services").glob("*/README.md")])

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
SETTING = re.compile(r"\bDESKWIRE_[A-Z_]+\b(?!…)")
COMMAND = re.compile(r"(?:\$ |`)(?:\.venv/bin/)?deskwire ([a-z]+)(?: ([a-z]+)\b)?")
OF_THE_SERVERS = {
    name for file in ROOT.glob("deploy/nats/*.conf") for name in re.findall(r"\$(DESKWIRE_[A-Z_]+)", file.read_text())
}
"""What the configurations of NATS servers take from the environment."""
BEGINNINGS = {"DESKWIRE_NOTIFY_SMTP_"}


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = [found[1] for found in LINK.finditer(_text(page)) if "://" not in found[1]]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    reference = _text(ROOT / "docs" / "reference" / "settings.md")
    named = {name for name in SETTING.findall(_text(page)) if not name.startswith("DESKWIRE_TEST_")}
    assert {name for name in named - OF_THE_SERVERS - BEGINNINGS if f"`{name}`" not in reference} == set()


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_every_command_that_is_named_exists(page: Path) -> None:
    reference = _text(ROOT / "docs" / "reference" / "cli.md")
    assert [
        command for command in _commands(_text(page), reference) if f"## deskwire {command}\n" not in reference
    ] == []


def test_every_test_that_a_page_names_exists() -> None:
    written = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)\(", _text(file))
    }
    named = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", _text(page))}
    assert len(named) > 20
    assert named - written == set()


@pytest.mark.parametrize("file", ["compose.yaml", "Dockerfile"])
def test_every_setting_of_a_deployment_exists(file: str) -> None:
    reference = _text(ROOT / "docs" / "reference" / "settings.md")
    set_there = set(re.findall(r"^\s+(DESKWIRE_[A-Z_]+)[:=]", _text(ROOT / "deploy" / file), re.MULTILINE))
    assert len(set_there) > 2
    assert {name for name in set_there - OF_THE_SERVERS if f"`{name}`" not in reference} == set()


def test_every_page_of_the_documentation_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        links = (page.parent / found[1] for found in LINK.finditer(_text(page)) if found[1].endswith(".md"))
        new = {link.resolve() for link in links} - reached
        reached |= new
        waiting += new
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - reached == set()


def _commands(text: str, reference: str) -> Iterator[str]:
    for command, sub in COMMAND.findall(text):
        is_group = f"## deskwire {command} {sub}\n" in reference or f"\n## deskwire {command} " in reference
        yield f"{command} {sub}" if sub and is_group else command
