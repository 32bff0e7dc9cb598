"""What the stack of docker compose takes is read from Docker's words and shown as a table."""

import json
import os
from pathlib import Path

import pytest

from scripts import compose_figures
from scripts.compose_table import compose_table

MACHINE = {"cores": 2, "processor": "AMD EPYC", "memory_gib": 24}

FAKE = """#!/bin/sh
case "$*" in
  *"config --services"*) printf 'kafdrop\\nkafka\\n' ;;
  *" ps "*) echo 77 ;;
  "inspect 77") cat <<'JSON'
[{"Name": "/fraud-figures-kafka-1", "HostConfig": {"Memory": 1073741824},
  "Config": {"Image": "apache/kafka:4.1.1", "Labels": {"com.docker.compose.service": "kafka"}}}]
JSON
    ;;
  "image inspect"*) echo '[{"Size": 336000000, "RepoDigests": ['"$DIGEST"']}]' ;;
  stats*) echo '{"Name": "fraud-figures-kafka-1", "MemUsage": "410.5MiB / 1GiB"}' ;;
  *build*) [ "$BUILDS" = yes ] || { echo "no space left"; exit 1; } ;;
esac
echo "$*" >>"$CALLS"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the Docker that is the only one here writes what it was asked."""
    program = tmp_path / "docker"
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("BUILDS", "yes")
    monkeypatch.setenv("DIGEST", "")
    monkeypatch.setattr(compose_figures, "OBSERVED", 0.05)
    return tmp_path / "calls"


def test_it_measures_without_what_is_left_out_removes_the_stack_and_adds_to_the_file(
    calls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    assert compose_figures.main(["--without", "kafdrop", "--json", str(file)]) == 0
    found = json.loads(file.read_text())["compose"]
    assert [each["memory_mib"] for each in found["services"]] == [410.5]
    assert found["stand_ins"] == ["apache/kafka:4.1.1"]
    ups = [line for line in calls.read_text().splitlines() if " up " in line]
    assert [line.rsplit(" ", 1)[1] for line in ups] == ["kafka", "kafka"]
    assert calls.read_text().splitlines()[-1].endswith("inspect apache/kafka:4.1.1")
    assert "down --volumes" in calls.read_text()
    assert "stand-in" in capsys.readouterr().out


def test_an_image_that_was_pulled_is_no_stand_in(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST", '"apache/kafka@sha256:0"')
    assert compose_figures.measure([])["stand_ins"] == []
    assert calls.exists()


def test_what_docker_says_when_it_fails_is_told_and_nothing_stays(
    calls: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BUILDS", "no")
    assert compose_figures.main([]) == 1
    assert "no space left" in capsys.readouterr().err
    assert "down --volumes" in calls.read_text()


@pytest.mark.parametrize(("said", "size"), [("1.5GiB / 4GiB", 1536), ("796KiB / 1GiB", 0.77734375)])
def test_sizes_are_read(said: str, size: float) -> None:
    assert compose_figures.mebibytes(said) == size


def test_what_is_no_size_is_told() -> None:
    with pytest.raises(compose_figures.FailedError, match="-- / --"):
        compose_figures.mebibytes("-- / --")


def test_the_table_has_a_line_for_each_service_and_a_dash_for_one_that_has_ended() -> None:
    services = [
        {
            "service": "detect",
            "memory_mib": 1100.4,
            "limit_mib": 4096,
            "image": "a:local",
            "image_mb": 1370.2,
        },
        {"service": "init", "memory_mib": None, "limit_mib": 256, "image": "a:local", "image_mb": 1370.2},
    ]
    found = {
        "build_seconds": 122.4, "first_up_seconds": 50.2, "next_up_seconds": 5.1, "without": ["kafdrop"],
        "stand_ins": [], "services": services,
    }  # fmt: skip
    text, without, _, _, _, detect, init = compose_table(found, MACHINE)
    assert "cold build 122 s" in text
    assert "1,100 MiB of memory in all" in text
    assert without == "Without `kafdrop`."
    assert detect.split("|")[1:5] == [" `detect` ", "            1,100 ", "      4,096 ", "     1,370 "]
    assert init.split("|")[2].strip() == "-"
