"""Fetches the pinned Java archives (local/jars.toml) of broker and connector into .cache/jars/<group>/.

Ivy, which pyspark carries, does the downloading; what counts is the SHA-256 of each file.
"""

import argparse
import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import quoteattr

from local.native.java import ROOT, WHEEL_HOME, NoJavaError, find_java
from local.native.trust import trust_options

PINNED = ROOT / "local" / "jars.toml"
FOLDER = ROOT / ".cache" / "jars"

# `usepoms` and `checksums` off: no dependency is resolved, and our own SHA-256 is the check.
_IVY_SETTINGS = """<ivysettings>
  <settings defaultResolver="central"/>
  <resolvers><ibiblio name="central" m2compatible="true" usepoms="false" checksums=""/></resolvers>
</ivysettings>
"""


class JarsError(Exception):
    """The pinned list is wrong, or jars could not be fetched; the message names them."""


@dataclass(frozen=True)
class Jar:
    """One pinned archive: `organisation:artifact:revision`, the SHA-256 of its bytes, its group."""

    group: str
    coordinate: str
    sha256: str

    def path(self, folder: Path) -> Path:
        """Where the archive lies under `folder`."""
        _, artifact, revision = self.coordinate.split(":")
        return folder / self.group / f"{artifact}-{revision}.jar"


def read_pinned(text: str) -> list[Jar]:
    """The jars of a pinned list: TOML, one table a group, `coordinate = sha256`. Raises JarsError."""
    jars = [
        Jar(group, coordinate, str(sha256))
        for group, pins in tomllib.loads(text).items()
        for coordinate, sha256 in pins.items()
    ]
    for jar in jars:
        if not re.fullmatch(r"[\w.-]+:[\w.-]+:[\w.-]+", jar.coordinate):
            raise JarsError(f"{jar.coordinate!r} is no Maven coordinate: organisation:artifact:revision")
        if not re.fullmatch(r"[0-9a-f]{64}", jar.sha256):
            raise JarsError(f"{jar.coordinate} has no SHA-256 of 64 hexadecimal digits: {jar.sha256!r}")
    return jars


def wanting(jars: Iterable[Jar], folder: Path) -> list[Jar]:
    """Those of `jars` that are missing under `folder`, or damaged there."""
    return [jar for jar in jars if not _is_whole(jar, folder)]


def fetch(jars: Sequence[Jar], folder: Path = FOLDER) -> None:
    """Bring every one of `jars` to `folder`, whole; those already there stay. Prints progress.

    Raises JarsError, which names each jar that could not be had, and NoJavaError.
    """
    if not wanting(jars, folder):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / ".lock"):
        missing = wanting(jars, folder)  # another set-up may have fetched them while we waited
        for group in sorted({jar.group for jar in missing}):
            _fetch_group([jar for jar in missing if jar.group == group], folder)
        # Ivy's own copies are done with. Kept only after a failure, they let the next try go on.
        shutil.rmtree(folder / ".ivy", ignore_errors=True)


def _fetch_group(jars: Sequence[Jar], folder: Path) -> None:
    group, ivy = jars[0].group, folder / ".ivy"
    ivy.mkdir(exist_ok=True)
    for jar in jars:
        jar.path(folder).unlink(missing_ok=True)
    (ivy / "settings.xml").write_text(_IVY_SETTINGS)
    (ivy / f"{group}.xml").write_text(_ivy_module(jars))
    java = find_java()
    trust = trust_options(ivy / "authorities.jks") if java == WHEEL_HOME else []
    command = [
        java / "bin" / "java", *trust, f"-Divy.default.ivy.user.dir={ivy}", "-jar", _ivy_program(),
        "-settings", ivy / "settings.xml", "-ivy", ivy / f"{group}.xml",
        "-confs", "default", "-types", "jar", "bundle",
        "-retrieve", f"{folder}/{group}/[artifact]-[revision].[ext]",
    ]  # fmt: skip
    said = _run(list(map(str, command)), f"jars of {group}", len(jars))
    (ivy / f"{group}.log").write_text(said)
    absent = [jar for jar in jars if not jar.path(folder).exists()]
    wrong = [jar for jar in wanting(jars, folder) if jar not in absent]
    if wrong:
        shutil.rmtree(ivy, ignore_errors=True)  # or the next try would find the same bytes there
        lines = [
            f"  {jar.coordinate}: SHA-256 is {_sha256(jar.path(folder))}, not {jar.sha256}" for jar in wrong
        ]
        for jar in wrong:
            jar.path(folder).unlink()
        raise JarsError(
            "\n".join(["these jars are not what local/jars.toml pins; they were deleted:", *lines])
        )
    if absent:
        names = ", ".join(jar.coordinate for jar in absent)
        tail = "\n".join(f"  {line}" for line in _complaints(said))
        raise JarsError(
            f"could not fetch {names}.\n{tail}\n"
            f"Check the network (and proxy), then run the same command again: what was fetched is kept. "
            f"All that Ivy said is in {ivy / f'{group}.log'}."
        )


def _run(command: list[str], what: str, total: int) -> str:
    """Ivy's whole output; meanwhile a progress line, in place on a terminal, else every 5 seconds."""
    said: list[str] = []
    done, told = 0, time.monotonic()
    in_place = sys.stderr.isatty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as ivy:
        for line in ivy.stdout or ():
            said.append(line)
            done += "[SUCCESSFUL ]" in line
            if in_place:
                print(f"\r  {what}: {done} of {total}", end="", file=sys.stderr, flush=True)
            elif time.monotonic() - told >= 5:
                print(f"  {what}: {done} of {total}", file=sys.stderr, flush=True)
                told = time.monotonic()
    print(f"{chr(13) if in_place else ''}  {what}: {done} of {total}", file=sys.stderr, flush=True)
    return "".join(said)


def _complaints(said: str) -> list[str]:
    telling = re.compile(r"FAILED|Server access|[Ee]xception|refused|timed out|unknown host|SERVER ERROR")
    lines = [line.strip() for line in said.splitlines() if telling.search(line)]
    return list(dict.fromkeys(lines))[:3] or said.splitlines()[-5:]


def _ivy_module(jars: Iterable[Jar]) -> str:
    lines = ['<ivy-module version="2.0">', '  <info organisation="local" module="jars"/>', "  <dependencies>"]
    for jar in jars:
        org, name, revision = map(quoteattr, jar.coordinate.split(":"))
        lines.append(f'    <dependency org={org} name={name} rev={revision} transitive="false"/>')
    return "\n".join([*lines, "  </dependencies>", "</ivy-module>", ""])


def _ivy_program() -> Path:
    spec = find_spec("pyspark")
    if not spec or not spec.origin:
        raise JarsError(
            "pyspark, which carries Ivy, is not installed; run scripts/demo.sh or `uv sync --frozen`"
        )
    return next((Path(spec.origin).parent / "jars").glob("ivy-*.jar"))


def _is_whole(jar: Jar, folder: Path) -> bool:
    path = jar.path(folder)
    return path.is_file() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Two set-ups at once fetch one after the other."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m local.native.jars [GROUP ...]`: fetch these groups; exit code 1 when one fails."""
    jars = read_pinned(PINNED.read_text())
    groups = sorted({jar.group for jar in jars})
    parser = argparse.ArgumentParser(prog="python -m local.native.jars", description=main.__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(groups)}; default: all")
    wished = parser.parse_args(arguments).groups or groups
    unknown = sorted(set(wished) - set(groups))
    if unknown:
        parser.error(f"there is no group {', '.join(unknown)}; there is {', '.join(groups)}")
    try:
        fetch([jar for jar in jars if jar.group in wished])
    except (JarsError, NoJavaError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
