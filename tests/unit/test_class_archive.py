"""Which archive of classes a job's JVM reads, or writes."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from local.native.class_archive import class_sharing
from local.native.java import find_java

HEADER = b"\xa8\xab\x0b\xf0"


@pytest.fixture
def environment() -> dict[str, str]:
    return {"JAVA_HOME": str(find_java()), "PATH": os.environ["PATH"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "the classes"


def options(environment: dict[str, str], folder: Path, memory: str = "1g") -> dict[str, str]:
    """The JVM's options, as Spark splits them: as a shell does."""
    added = class_sharing({**environment, "FRAUD_DRIVER_MEMORY": memory}, folder)
    words = shlex.split(added.get("SPARK_SUBMIT_OPTS", ""))
    return dict(word.removeprefix("-XX:").split("=", 1) for word in words)


def run(environment: dict[str, str], given: dict[str, str], memory: str, *more: str) -> str:
    """Run Java with the options, and give what it says."""
    java = Path(environment["JAVA_HOME"], "bin", "java")
    command = [java, *(f"-XX:{name}={value}" for name, value in given.items()), f"-Xmx{memory}", *more]
    done = subprocess.run([*command, "-version"], env=environment, capture_output=True, text=True, check=True)
    return done.stderr


def test_the_first_job_writes_an_archive_that_a_later_one_reads(
    environment: dict[str, str], folder: Path
) -> None:
    first = options(environment, folder)
    assert first.keys() == {"SharedArchiveFile", "ArchiveClassesAtExit"}
    run(environment, first, "1g")

    second = options(environment, folder)

    archives = f"{first['SharedArchiveFile']}{os.pathsep}{first['ArchiveClassesAtExit']}"
    assert second == {"SharedArchiveFile": archives}
    assert "sharing" in run(environment, second, "1g", "-Xshare:on")


def test_what_a_killed_jvm_has_left_is_written_again(environment: dict[str, str], folder: Path) -> None:
    first = options(environment, folder)
    Path(first["ArchiveClassesAtExit"]).write_bytes(bytes(4_096))
    assert options(environment, folder) == first


def test_another_java_gets_archives_of_its_own_and_the_former_ones_go(
    environment: dict[str, str], folder: Path
) -> None:
    folder.mkdir()
    former = folder / "java-1-spark-4.0.0.jsa"
    former.write_bytes(HEADER)
    assert options(environment, folder)["ArchiveClassesAtExit"] != str(former)
    assert not former.exists()


def test_a_jvm_starts_with_the_options_whether_or_not_it_can_write_an_archive(
    environment: dict[str, str], folder: Path
) -> None:
    """Java 17 cannot: its base archive has pointers of 32 bits, and so much memory takes 64."""
    run(environment, options(environment, folder, "40g"), "40g")


def test_a_java_without_archives_runs_without_them(tmp_path: Path, folder: Path) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    assert class_sharing({"JAVA_HOME": str(tmp_path)}, folder) == {}
    assert list(folder.iterdir()) == []
