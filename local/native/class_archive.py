"""Spark starts a third cheaper when its classes come parsed, from an archive that an earlier JVM wrote.

Source: Java's class data sharing; `-XX:ArchiveClassesAtExit` writes what it calls a dynamic archive.
"""

from importlib.metadata import version
from pathlib import Path

from local.native.java import ROOT

FOLDER = ROOT / ".cache" / "classes"


def class_sharing(java_home: Path, folder: Path = FOLDER) -> dict[str, str]:
    """What a job finds in its environment so that its JVM reads the archive in `folder`, or writes it.

    A JVM writes it when its job has ended, in seconds, and the header, which makes it an archive, last: one
    that was killed meanwhile has left nothing that anybody reads. It does without an archive that does not
    fit its jars.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = (java_home / "bin" / "java").stat().st_mtime_ns  # an upgrade reads no archive of before
    archive = folder / f"spark-{version('pyspark')}-java-{written}.jsa"
    for other in folder.glob("*.jsa"):
        if other != archive:
            other.unlink(missing_ok=True)
    option = "SharedArchiveFile" if _is_whole(archive) else "ArchiveClassesAtExit"
    return {"SPARK_SUBMIT_OPTS": f'-XX:{option}="{archive}"'}


def _is_whole(archive: Path) -> bool:
    """Whether it has its header."""
    try:
        with archive.open("rb") as content:
            return any(content.read(4))
    except FileNotFoundError:
        return False
