"""Finds out about this machine what local/native/machine.py judges. Standard library only."""

import os
import platform
import re
import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from local.native.machine import Machine

_CGROUPS = Path("/sys/fs/cgroup")


def this_machine(root: Path, state: Path) -> Machine:
    """The facts; `root` is the project's folder, `state` the folder for what a run leaves."""
    libc, version = platform.libc_ver()
    return Machine(
        system=platform.system(),
        processor=platform.machine().lower().replace("amd64", "x86_64"),
        bits=struct.calcsize("P") * 8,
        glibc=_version(version) if libc == "glibc" else None,
        macos=_version(platform.mac_ver()[0]),
        memory=available_memory(),
        disk=shutil.disk_usage(root).free,
        unwritable=unwritable([root, root / ".cache", root / ".venv", state]),
    )


def unwritable(folders: Iterable[Path]) -> list[Path]:
    """Those of the folders that exist and cannot be written to."""
    return [
        folder for folder in folders if os.path.exists(folder) and not os.access(folder, os.W_OK | os.X_OK)
    ]


def available_memory() -> int | None:
    """Bytes that new processes can have, by the system and by the container's limit; None when unknown."""
    if platform.system() == "Darwin":
        said = subprocess.run(["/usr/bin/vm_stat"], capture_output=True, text=True, check=False).stdout
        return available_on_macos(said)
    try:
        available = available_on_linux(Path("/proc/meminfo").read_text())
        own = Path("/proc/self/cgroup").read_text()
    except OSError:
        return None
    return _smallest([available, left_in_cgroups(_CGROUPS, own)])


def available_on_linux(meminfo: str) -> int | None:
    """Bytes, from the text of /proc/meminfo."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo, re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def available_on_macos(vm_stat: str) -> int | None:
    """Bytes, from what vm_stat says: free, and what the system gives up at once."""
    size = re.search(r"page size of (\d+) bytes", vm_stat)
    pages = re.findall(r"^Pages (?:free|inactive|speculative|purgeable):\s+(\d+)\.", vm_stat, re.MULTILINE)
    return int(size[1]) * sum(map(int, pages)) if size and pages else None


def left_in_cgroups(mounted: Path, own: str) -> int | None:
    """Bytes left under the limits of this process's control groups (version 2); None without a limit.

    `mounted` is where they are, `own` the text of /proc/self/cgroup. File cache counts as free.
    """
    path = re.search(r"^0::/(.*)$", own, re.MULTILINE)
    if not path:
        return None
    group = mounted / path[1]
    return _smallest(_left(folder) for folder in (group, *group.parents) if folder.is_relative_to(mounted))


def _smallest(sizes: Iterable[int | None]) -> int | None:
    return min((size for size in sizes if size is not None), default=None)


def _left(group: Path) -> int | None:
    try:
        limit, current = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        cache = re.search(r"^inactive_file (\d+)$", (group / "memory.stat").read_text(), re.MULTILINE)
    except OSError:  # the root group has no such files
        return None
    if limit == "max":
        return None
    return max(0, int(limit) - int(current) + (int(cache[1]) if cache else 0))


def _version(text: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2] or 0)) if found else None
