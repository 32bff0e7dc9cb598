"""The dashboard as a program of the stack: on loopback, quiet, and no reason for the others to end."""

import os
import socket
import sys
import urllib.request
from pathlib import Path

import pytest

from local.native import dashboard
from local.native.arguments import parsed
from local.native.environment import child_environment
from local.native.ports import HOST, Ports, PortsError
from local.native.process import Ending, Program
from local.native.supervisor import Supervisor

STREAMLIT = [sys.executable, "-m", "streamlit"]


def test_it_answers_on_loopback_and_stops_in_order(supervisor: Supervisor, tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text("import streamlit\nstreamlit.write('payments')\n")
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    # HOME is new, as on a machine that never saw Streamlit: it must not ask for anything.
    environment, _ = child_environment({**os.environ, "HOME": str(tmp_path)}, {}, tmp_path)
    supervisor.start(dashboard.program(STREAMLIT, port, environment, reload=False, app=app))
    supervisor.wait(lambda: answers(port), "an answer", 60, "dashboard")
    assert supervisor.stop("dashboard") == [Ending("dashboard", 0, supervisor.log("dashboard"))]
    said = supervisor.log("dashboard").read_text()
    assert f"http://{HOST}:{port}" in said
    assert "mail" not in said
    assert not (tmp_path / ".streamlit").exists()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/_stcore/health", timeout=5) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


def test_it_sends_no_statistics_and_opens_no_browser() -> None:
    command = dashboard.program(STREAMLIT, 20_000, {}, reload=False).command
    wanted = {f"--server.address={HOST}", "--server.headless=true", "--browser.gatherUsageStats=false"}
    assert wanted <= set(command)
    assert "--server.fileWatcherType=none" in command


def test_somebody_who_works_on_it_sees_changes_at_once() -> None:
    command = dashboard.program(STREAMLIT, 20_000, {}, reload=True).command
    assert {"--server.fileWatcherType=auto", "--server.runOnSave=true"} <= set(command)


def test_the_others_go_on_without_it_and_its_log_s_end_is_shown(
    supervisor: Supervisor, lines: list[str]
) -> None:
    fails = [sys.executable, "-c", "print('no module named altair'); raise SystemExit(1)"]
    works = [sys.executable, "-c", "import time; time.sleep(60)"]
    supervisor.start(Program("job", works, {}))
    supervisor.start(Program("dashboard", fails, {}, essential=False))
    supervisor.wait(lambda: len(lines) > 0, "a message", 20, "dashboard")
    (text,) = lines
    assert "dashboard: it ended with exit code 1" in text
    assert "no module named altair" in text
    assert text.endswith("Everything else goes on without it.")
    supervisor.look_after()
    (ending,) = supervisor.stop("dashboard")  # known to the summary
    assert ending.exit_code == 1


def test_the_demo_has_one_unless_told_otherwise_and_up_only_when_asked() -> None:
    assert parsed(["demo"]).ports.dashboard == 8501
    assert parsed(["demo", "--dashboard-port", "8600"]).ports.dashboard == 8600
    assert parsed(["demo", "--no-dashboard"]).ports.dashboard is None
    assert parsed(["up"]).ports.dashboard is None
    assert parsed(["up", "--dashboard"]).ports.dashboard == 8501


def test_its_port_is_checked_with_the_others() -> None:
    assert Ports(dashboard=8501).wanted()[8501] == ("the dashboard", "--dashboard-port")
    with pytest.raises(PortsError, match=r"both Kafka and the dashboard.*--dashboard-port"):
        Ports(kafka=8501, controller=9093, dashboard=8501).wanted()
