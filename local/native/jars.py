"""Fetches the pinned Java archives (local/jars.toml) of broker and connector into .cache/jars/<group>/.

Ivy does the downloading, several at once; what counts is the SHA-256 of each file.
"""

import argparse
import hashlib
import re
import shutil
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from local.native.alone import alone
from local.native.ivy import NoIvyError, prepared
from local.native.java import ROOT, NoJavaError

PINNED = ROOT / "local" / "jars.toml"
FOLDER = ROOT / ".cache" / "jars"

_AT_ONCE = 4
_PART = 12  # jars of one download
_PAUSES = (2, 10, 30)  # seconds before the tries after the first
_PASSING = re.compile(
    r".*(?:SERVER ERROR|Too Many Requests|returns \"HTTP/1.1 5|timed out|Connection reset).*"
)


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
    with alone(folder / ".lock"):
        missing = wanting(jars, folder)  # another set-up may have fetched them while we waited
        if missing:
            said = _download(missing, folder)
            for pause in _PAUSES:
                absent = [jar for jar in missing if not jar.path(folder).exists()]
                passing = _PASSING.search(said)
                if not absent or not passing:
                    break
                print(f"  {passing[0].strip()}; again in {pause} s", file=sys.stderr, flush=True)
                time.sleep(pause)
                said = _download(absent, folder)
            _check(missing, folder, said)
        # Ivy's own copies are done with. Kept only after a failure, they let the next try go on.
        shutil.rmtree(folder / ".ivy", ignore_errors=True)


def _download(jars: Sequence[Jar], folder: Path) -> str:
    """Have Ivy bring them; all that it said."""
    try:
        ivy = prepared(folder / ".ivy")
    except NoIvyError as error:
        raise JarsError(str(error)) from error
    for jar in jars:
        jar.path(folder).unlink(missing_ok=True)
    groups = sorted({jar.group for jar in jars})
    parts = [
        (f"{group}-{number}", folder / group, [jar.coordinate for jar in part])
        for group in groups
        for number, part in enumerate(_parts([jar for jar in jars if jar.group == group]))
    ]
    progress = _Progress(f"jars of {' and '.join(groups)}", len(jars))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        said = "".join(pool.map(lambda part: ivy.download(part[0], part[2], part[1], progress.one), parts))
    progress.end(sum(jar.path(folder).exists() for jar in jars))
    (folder / "ivy.log").write_text(said)
    return said


def _check(jars: Sequence[Jar], folder: Path, said: str) -> None:
    """Raise JarsError for each that is not there whole; delete what is not what it should be."""
    absent = [jar for jar in jars if not jar.path(folder).exists()]
    wrong = [jar for jar in wanting(jars, folder) if jar not in absent]
    if wrong:
        shutil.rmtree(folder / ".ivy", ignore_errors=True)  # or the next try would find the same bytes there
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
            f"All that Ivy said is in {folder / 'ivy.log'}."
        )


def _complaints(said: str) -> list[str]:
    telling = re.compile(r"FAILED|Server access|[Ee]xception|refused|timed out|unknown host|SERVER ERROR")
    lines = [line.strip() for line in said.splitlines() if telling.search(line)]
    return list(dict.fromkeys(lines))[:3] or said.splitlines()[-5:]


class _Progress:
    """A line that counts: in place on a terminal, else every 5 seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._done, self._told = 0, time.monotonic()
        self._in_place = sys.stderr.isatty()
        self._lock = Lock()

    def one(self) -> None:
        """One more is there."""
        with self._lock:
            self._done += 1
            if self._in_place:
                self._tell(self._done, end="")
            elif time.monotonic() - self._told >= 5:
                self._tell(self._done)
                self._told = time.monotonic()

    def end(self, done: int) -> None:
        """So many are there in the end."""
        self._tell(done)

    def _tell(self, done: int, end: str = "\n") -> None:
        start = "\r" if self._in_place else ""
        print(f"{start}  {self._what}: {done} of {self._total}", end=end, file=sys.stderr, flush=True)


def _parts(jars: Sequence[Jar]) -> Iterator[Sequence[Jar]]:
    return (jars[first : first + _PART] for first in range(0, len(jars), _PART))


def _is_whole(jar: Jar, folder: Path) -> bool:
    path = jar.path(folder)
    return path.is_file() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
