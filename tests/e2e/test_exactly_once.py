"""The promise of intake, tried out: the long version of this is the benchmark `exactly_once`."""

from pathlib import Path

import pytest

import exactly_once


@pytest.mark.timeout(300)
def test_killing_processes_at_random_neither_loses_nor_doubles_a_mail_of_two_channels(tmp_path: Path) -> None:
    report = exactly_once.run(tmp_path, mails=1_000, pause=(0.5, 2.0), patience=240)
    assert report.is_clean, report
    assert report.kills
