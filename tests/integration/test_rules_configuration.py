"""`deskwire apply`, `export` and `rules rehearse` on a running desk."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processes import DESKWIRE
from up_desk import UpDesk, up_desk

RULE: dict[str, Any] = {"name": "Fire", "actions": [{"do": "set_team", "team_id": "support"}]}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpDesk]:
    """A desk that runs while this module is tested."""
    with up_desk(tmp_path_factory.mktemp("desk")) as running:
        yield running


def run(desk: UpDesk, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command; what it printed, and how it ended."""
    command = [str(DESKWIRE), *words]
    return subprocess.run(command, env=desk.environment(), capture_output=True, text=True, timeout=50, check=False)


def write(folder: Path, **documents: Any) -> Path:
    for name, document in documents.items():
        kind, _, document_id = name.partition("__")
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / f"{document_id}.json").write_text(json.dumps(document))
    return folder


def test_a_configuration_is_applied_once_and_then_stands(desk: UpDesk, tmp_path: Path) -> None:
    config = write(tmp_path, team__support={"name": "Support"}, rule__fire=RULE)
    dry = run(desk, "apply", "-f", str(config), "--dry-run")
    assert dry.stdout.splitlines() == [
        "+ team/support  Support",
        "+ rule/fire  Fire",
        "2 would be stored, 0 as they are",
    ]
    assert run(desk, "apply", "-f", str(config)).stdout.endswith("2 stored, 0 as they are\n")
    assert run(desk, "apply", "-f", str(config)).stdout == "0 stored, 2 as they are\n"
    write(tmp_path, rule__fire={**RULE, "stop": True})
    assert "    stop: + true\n" in run(desk, "apply", "-f", str(config)).stdout
    out = tmp_path / "out"
    assert run(desk, "export", "-o", str(out)).returncode == 0
    assert json.loads((out / "rule" / "fire.json").read_text()) == {**RULE, "stop": True}
    assert run(desk, "apply", "-f", str(out)).stdout.startswith("0 stored")


def test_a_faulty_configuration_changes_nothing_and_every_fault_is_named(desk: UpDesk, tmp_path: Path) -> None:
    other = {**RULE, "actions": [{"do": "set_team", "team_id": "nowhere"}]}
    config = write(tmp_path, team__other={"name": "Other"}, rule__bad=other)
    refused = run(desk, "apply", "-f", str(config))
    assert refused.returncode == 1
    assert "nothing was changed" in refused.stderr
    assert "rule/bad.json: actions[0].team_id: there is no team nowhere" in refused.stderr
    write(tmp_path, rule__bad={**RULE, "triger": "opened"})
    assert "rule/bad.json: triger: there is no such field" in run(desk, "apply", "-f", str(config)).stderr
    assert "team/other" in run(desk, "apply", "-f", str(config / "team"), "--dry-run").stdout


def test_a_rule_is_rehearsed_from_its_file(desk: UpDesk, tmp_path: Path) -> None:
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps({**RULE, "actions": [{"do": "raise_priority"}]}))
    found = run(
        desk, "rules", "rehearse", "--rules", str(draft), "--from", "2020-01-01", "--to", "2099-01-01", "--json"
    )
    assert json.loads(found.stdout)["rules"][-1]["rule_id"] in {"draft", "fire"}
    wrong = run(desk, "rules", "rehearse", "--rules", str(draft), "--from", "2021-01-01", "--to", "2020-01-01")
    assert (wrong.returncode, "--to has to be behind --from" in wrong.stderr) == (2, True)
    draft.write_text("{")
    wrong = run(desk, "rules", "rehearse", "--rules", str(draft), "--from", "2020-01-01", "--to", "2021-01-01")
    assert (wrong.returncode, "no JSON" in wrong.stderr) == (2, True)
