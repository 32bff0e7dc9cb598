"""Spark starts with a third less work when its classes come parsed, from an archive of an earlier JVM.

Source: class data sharing of Java 17: `-Xshare:dump` writes a base archive, of Java's own classes, and
`-XX:ArchiveClassesAtExit` a dynamic one on top of it, of all others.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from fraud.environment import load
from local.native.java import ROOT

FOLDER = ROOT / ".cache" / "classes"
_SECONDS = 60


def class_sharing(environment: Mapping[str, str], folder: Path = FOLDER) -> dict[str, str]:
    """What is added to a job's `environment` so that its JVM reads the archives in `folder`, or writes
    the second.

    A JVM writes the archive when its job has ended, in seconds, and the header, which makes it one, last: one
    that was killed meanwhile has left nothing that anybody reads. Archives that do not fit a JVM are not
    read; one that cannot write any would not start, so it is tried. Empty where that does not work. Raises
    SettingsError.
    """
    java = Path(environment["JAVA_HOME"], "bin", "java")
    name = f"java-{java.stat().st_mtime_ns}"  # an upgrade of Java reads nothing of before
    base, archive = folder / f"{name}.jsa", folder / f"{name}-spark-{version('pyspark')}.jsa"
    if _is_whole(archive):
        return _options(f"-XX:SharedArchiveFile={base}{os.pathsep}{archive}")
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.glob("*.jsa"):
        if not other.name.startswith(name):
            other.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        written, tried = Path(own, base.name), Path(own, archive.name)
        if not base.exists() and _runs(environment, java, "-Xshare:dump", f"-XX:SharedArchiveFile={written}"):
            written.replace(base)
        reads = f"-XX:SharedArchiveFile={base}"
        memory = load(environment).detection.driver_memory
        if not _runs(environment, java, f"-Xmx{memory}", reads, f"-XX:ArchiveClassesAtExit={tried}"):
            base.unlink(missing_ok=True)  # it may be of a Java that was here before
            return {}
    return _options(reads, f"-XX:ArchiveClassesAtExit={archive}")


def _options(*options: str) -> dict[str, str]:
    return {"SPARK_SUBMIT_OPTS": " ".join(f'"{option}"' for option in options)}


def _runs(environment: Mapping[str, str], java: Path, *options: str) -> bool:
    command = [str(java), *options, "-version"]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=_SECONDS, check=False)
    return done.returncode == 0


def _is_whole(archive: Path) -> bool:
    """Whether it has its header."""
    try:
        with archive.open("rb") as content:
            return any(content.read(4))
    except FileNotFoundError:
        return False
