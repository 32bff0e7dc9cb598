"""scripts/setup.sh and scripts/reset.sh say what a machine lacks, and delete nothing unasked."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from scripts.check import ROOT

FAKE = """#!/bin/sh
echo "in ${PWD##*/}: docker $*" >>"$CALLS"
case "$1 $2" in
  "info --format") echo "$MEMORY" ;;
  "info ") [ "$ENGINE" = up ] ;;
  "compose version") echo "$VERSION" ;;
  "compose logs") echo "ALERT 2026-01-01 somebody" ;;
  "compose up") [ "$HEALTHY" = yes ] ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that lacks nothing; the fake writes what it was asked to CALLS."""
    program = tmp_path / "docker"
    program.write_text(FAKE)
    program.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = str(probe.getsockname()[1])
    ports = ("KAFKA_PORT", "S3_PORT", "MINIO_CONSOLE_PORT", "DASHBOARD_PORT", "KAFDROP_PORT")
    return {
        **dict.fromkeys(ports, free),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "ENGINE": "up",
        "MEMORY": "8000000000",
        "VERSION": "v2.24.0",
        "HEALTHY": "yes",
    }


def run(machine: dict[str, str], script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/usr/bin/env", "bash", str(ROOT / "scripts" / script), *arguments],
        env=machine, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def calls(machine: dict[str, str]) -> str:
    path = Path(machine["CALLS"])
    return path.read_text() if path.exists() else ""


def test_setup_builds_starts_waits_and_shows_addresses_and_alerts(machine: dict[str, str]) -> None:
    done = run(machine, "setup.sh")
    assert done.returncode == 0, done.stderr
    assert "in local: docker compose build\n" in calls(machine)
    assert "in local: docker compose up --detach --wait\n" in calls(machine)
    assert f"Dashboard     http://127.0.0.1:{machine['DASHBOARD_PORT']}\n" in done.stdout
    assert done.stdout.endswith("ALERT 2026-01-01 somebody\n")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ENGINE", "down", "no Docker engine answers"),
        ("VERSION", "2.23.3", "Docker Compose is 2.23.3; 2.24 or newer is needed"),
        ("MEMORY", "2000000000", "Docker has 2000 MB of memory; the stack takes 4 GB"),
    ],
)
def test_what_the_machine_lacks_is_said_before_anything_is_built(
    machine: dict[str, str], name: str, value: str, message: str
) -> None:
    done = run(machine | {name: value}, "setup.sh")
    assert done.returncode == 2
    assert message in done.stderr
    assert "build" not in calls(machine)


def test_a_taken_port_is_named_with_the_variable_that_moves_it(machine: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = run(machine | {"S3_PORT": str(port)}, "setup.sh")
    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr
    assert "S3_PORT in local/.env" in done.stderr
    assert "KAFKA_PORT" not in done.stderr


def test_a_service_that_is_not_healthy_is_a_failure(machine: dict[str, str]) -> None:
    done = run(machine | {"HEALTHY": "no"}, "setup.sh")
    assert done.returncode == 1
    assert "not healthy" in done.stderr


def test_reset_deletes_volumes_only_when_told(machine: dict[str, str]) -> None:
    done = run(machine, "reset.sh", "--compose")
    assert done.returncode == 2
    assert "say --yes" in done.stderr
    assert calls(machine) == ""
    assert run(machine, "reset.sh", "--compose", "--yes").returncode == 0
    (down,) = [line for line in calls(machine).splitlines() if " down --volumes" in line]
    assert down.startswith("in local: docker compose --file")
    assert [
        path for path in (ROOT / "local").glob("docker-compose*.yml") if f"--file {path}" not in down
    ] == []


@pytest.mark.parametrize("script", ["setup.sh", "alerts.sh", "reset.sh"])
def test_help_needs_no_docker(machine: dict[str, str], script: str) -> None:
    done = run(machine, script, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: scripts/{script}")
    assert calls(machine) == ""
