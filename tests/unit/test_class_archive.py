"""Which archive of classes a job's JVM reads, or writes."""

import os
import shlex
from pathlib import Path

import pytest

from local.native.class_archive import class_sharing


@pytest.fixture
def java_home(tmp_path: Path) -> Path:
    program = tmp_path / "java home" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.touch()
    return program.parents[1]


def archive_of(java_home: Path, folder: Path, option: str) -> Path:
    """The archive that a job's JVM gets with that option."""
    (word,) = shlex.split(class_sharing(java_home, folder)["SPARK_SUBMIT_OPTS"])
    name, _, path = word.partition("=")
    assert name == f"-XX:{option}"
    return Path(path)


def test_a_job_writes_the_archive_until_one_is_whole_and_then_reads_it(
    java_home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "the classes"
    archive = archive_of(java_home, folder, "ArchiveClassesAtExit")
    assert archive.parent == folder
    archive.write_bytes(b"\0\0\0\0 what a JVM has written that was killed")
    assert archive_of(java_home, folder, "ArchiveClassesAtExit") == archive
    archive.write_bytes(b"\xa8\xab\x0b\xf0 and all the rest")
    assert archive_of(java_home, folder, "SharedArchiveFile") == archive


def test_another_java_gets_an_archive_of_its_own_and_the_former_one_goes(
    java_home: Path, tmp_path: Path
) -> None:
    former = archive_of(java_home, tmp_path, "ArchiveClassesAtExit")
    former.write_bytes(b"\xa8\xab\x0b\xf0")
    os.utime(java_home / "bin" / "java", (1, 1))
    assert archive_of(java_home, tmp_path, "ArchiveClassesAtExit") != former
    assert not former.exists()
