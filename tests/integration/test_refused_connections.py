"""A process that a NATS server refuses for good ends and says so, in place of living on deaf."""

import signal
from pathlib import Path

from processes import Desk


def test_a_process_whose_login_was_withdrawn_ends_with_a_clear_message(tmp_path: Path) -> None:
    desk = Desk(tmp_path, services={"sla": ("sla",)})
    try:
        desk.start()
        configuration = tmp_path / "nats.conf"
        configuration.write_text(configuration.read_text().replace(f'"{desk.password}"', '"another"'))
        desk.running["nats"].send_signal(signal.SIGHUP)  # reads its configuration again
        assert desk.running["sla"].wait(30) == 1
        assert "closed a connection for good" in desk.log("sla")
    finally:
        desk.stop()
