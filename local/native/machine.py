"""Decides what a machine lacks to install and run the native stack, from facts about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GB = 10**9

MEMORY_LEAST = 5 * GB // 2
MEMORY_COMFORTABLE = 4 * GB
"""The demo with its dashboard takes 2.4 GB after five minutes at 100 payments a second (PSS, all of them);
the job's JVM may take another one in a busier stream."""

DISK_TO_INSTALL = 4 * GB
DISK_TO_RUN = GB

GLIBC_LEAST = (2, 28)
MACOS_LEAST = (13, 0)
SYSTEMS = "64-bit Linux (x86-64 or ARM, with glibc), macOS on Apple silicon, or Windows in WSL 2"


@dataclass(frozen=True)
class Machine:
    """What was found: see local/native/facts.py. Sizes in bytes; None is what could not be found out."""

    system: str
    """Linux, Darwin, ..."""
    processor: str
    """x86_64, aarch64, arm64, ..."""
    bits: int
    """Of Python's addresses."""
    glibc: tuple[int, int] | None
    macos: tuple[int, int] | None
    memory: int | None
    """Available to new processes."""
    disk: int
    """Free where the project lies."""
    unwritable: Sequence[Path]
    """Folders of the project that this user cannot write to."""


def lacks(machine: Machine, root: Path, *, installing: bool, running: bool) -> list[str]:
    """What keeps the stack from being installed in the folder `root`, or from running: one sentence each."""
    disk = DISK_TO_INSTALL if installing else DISK_TO_RUN
    problems = [*_system(machine), *_folder(machine, root)]
    if machine.disk < disk:
        what = "installing takes" if installing else "running takes"
        problems.append(
            f"{_gb(machine.disk)} of disk are free at {root}; {what} {_gb(disk)}: make room there"
        )
    if running and machine.memory is not None and machine.memory < MEMORY_LEAST:
        problems.append(
            f"{_gb(machine.memory)} of memory are free; the demo takes at least {_gb(MEMORY_LEAST)}: end "
            "other programs (a container or virtual machine: give it more), or try with --ignore-memory"
        )
    return problems


def warnings(machine: Machine) -> list[str]:
    """What will run, but not well."""
    if machine.memory is None or machine.memory >= MEMORY_COMFORTABLE:
        return []
    return [f"{_gb(machine.memory)} of memory are free; below {_gb(MEMORY_COMFORTABLE)} the demo may be slow"]


def _system(machine: Machine) -> list[str]:
    known = {"Linux": ("x86_64", "aarch64"), "Darwin": ("arm64",)}
    this = f"this is {machine.system} on {machine.processor or 'an unknown processor'}"
    if machine.bits != 64 or machine.processor not in known.get(machine.system, ()):
        bits = "" if machine.bits == 64 else f" with a {machine.bits}-bit Python"
        return [f"{this}{bits}; the stack runs on {SYSTEMS}"]
    if machine.system == "Linux" and machine.glibc is None:
        return [f"{this} without glibc; Kafka's client and DuckDB come for glibc 2.28 or newer only"]
    if machine.glibc is not None and machine.glibc < GLIBC_LEAST:
        return [f"{this} with glibc {_dotted(machine.glibc)}; {_dotted(GLIBC_LEAST)} or newer is needed"]
    if machine.macos is not None and machine.macos < MACOS_LEAST:
        return [f"this is macOS {_dotted(machine.macos)}; {MACOS_LEAST[0]} or newer is needed"]
    return []


def _folder(machine: Machine, root: Path) -> list[str]:
    if root in machine.unwritable:
        problems = [f"{root} cannot be written by you: clone the project where you may write"]
    else:
        problems = [
            f"{folder} cannot be written by you; was it made as another user, such as root? "
            "Delete it, or make it yours: it is made anew"
            for folder in machine.unwritable
        ]
    bad = sorted({mark for mark in ":,*" if mark in str(root)})
    if bad:
        problems.append(
            f"the path {root} has {' and '.join(bad)} in it, which has a meaning of its own for Java, "
            "Spark or Python: clone the project elsewhere"
        )
    return problems


def _gb(size: int) -> str:
    return f"{size / GB:.1f} GB"


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
