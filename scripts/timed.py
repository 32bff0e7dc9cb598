"""Runs a command and prints each of its lines with the seconds and megabytes received since the start.

`python3 scripts/timed.py COMMAND...` is how the README's figures of a cold and a warm start were measured.
Standard library only: it runs before anything is installed.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_COUNTERS = Path("/proc/net/dev")


def received(counters: str) -> int:
    """Bytes received by all interfaces but loopback, from the text of /proc/net/dev."""
    rows = re.findall(r"^\s*(\S+):\s*(\d+)", counters, re.MULTILINE)
    return sum(int(count) for name, count in rows if name != "lo")


def stamped(lines: Iterator[str]) -> Iterator[str]:
    """Each line with the seconds since the first was asked for, and the megabytes (10^6) received since."""
    since, before = time.monotonic(), _received_now()
    for line in lines:
        megabytes = f"{(_received_now() - before) / 1e6:8.1f} MB" if _COUNTERS.exists() else ""
        yield f"{time.monotonic() - since:7.1f} s {megabytes}  {line.rstrip()}"


def _received_now() -> int:
    return received(_COUNTERS.read_text()) if _COUNTERS.exists() else 0


def main(command: Sequence[str]) -> int:
    """Run `command` to its end; its exit code."""
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as child:
        for line in stamped(iter(child.stdout or ())):
            print(line, flush=True)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
