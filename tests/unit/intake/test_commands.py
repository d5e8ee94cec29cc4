"""The command line of intake."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deskwire_intake.commands import mail
from unit.intake.inbound import MAILS

FIELDS = [
    *("subject", "from", "to", "cc", "reply_to", "message_id", "in_reply_to", "references", "date", "text", "html"),
    *("reply_text", "attachments", "is_auto_reply", "is_bounce", "defects"),
]
GMAIL, FORWARD = str(MAILS / "gmail_reply.eml"), str(MAILS / "forwarded_as_attachment.eml")


def test_each_mail_is_one_json_object_with_exactly_the_documented_fields() -> None:
    result = CliRunner().invoke(mail, ["parse", GMAIL, FORWARD, "--json"])
    assert result.exit_code == 0
    gmail, forward = map(json.loads, result.stdout.splitlines())
    assert list(gmail) == list(forward) == FIELDS
    assert gmail["from"] == {"address": "juergen@example.net", "name": "Jürgen Groß"}
    assert gmail["date"] == "2026-11-23T10:12:08+01:00"
    assert list(forward["attachments"][0]) == ["filename", "content_type", "size", "sha256", "content_id"]


def test_paths_come_from_standard_input_plain_or_as_json() -> None:
    paths = f"{GMAIL}\n{json.dumps(FORWARD)}\n\n"
    result = CliRunner().invoke(mail, ["parse", "-", "--json"], input=paths)
    assert result.exit_code == 0
    assert [json.loads(line)["subject"] for line in result.stdout.splitlines()] == [
        "Re: [#1042] Printer prints only blank pages",
        "Fwd: Offer",
    ]


def test_a_missing_file_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.eml")
    result = CliRunner().invoke(mail, ["parse", missing, GMAIL, "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stderr) == {"path": missing, "error": "No such file or directory"}
    assert json.loads(result.stdout)["message_id"] == "CAF=x1y2z3@mail.example.net"


def test_a_path_that_is_none_is_told() -> None:
    result = CliRunner().invoke(mail, ["parse", "-"], input='"a\\u0000b"\n')
    assert result.exit_code == 1
    assert json.loads(result.stderr)["path"] == "a\x00b"


def test_a_summary_for_humans() -> None:
    result = CliRunner().invoke(mail, ["parse", FORWARD])
    assert result.exit_code == 0
    assert "Fwd: Offer" in result.stdout
    assert "Olaf <olaf@example.net>" in result.stdout
    assert "attachment Angebot für-Sie.eml (message/rfc822, 236 bytes)" in result.stdout


def test_a_mail_the_desk_has_kept_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKWIRE_DATA_DIR", str(tmp_path))
    kept = tmp_path / "objects" / "raw" / "5f" / "5f0c"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(Path(FORWARD).read_bytes())
    result = CliRunner().invoke(mail, ["parse", "--raw-key", "raw/5f/5f0c", "--json", "--details"])
    assert result.exit_code == 0, result.stderr
    (file,) = json.loads(result.stdout)["attachments"]
    assert file["mail"]["subject"] == "Angebot für/Sie"
    missing = CliRunner().invoke(mail, ["parse", "--raw-key", "raw/5f/none"])
    assert (missing.exit_code, json.loads(missing.stderr)["error"]) == (1, "nothing is kept under that key")
