"""The stamps that say how long a start took and how much it downloaded."""

import subprocess
import sys

from local.native.java import ROOT
from scripts.timed import received

COUNTERS = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo frame
    lo: 9000000   7000    0    0    0     0          0         0  9000000    7000    0    0    0     0
  eth0: 1234567    900    0    0    0     0          0         0     1000      10    0    0    0     0
wlan0:100        1    0    0    0     0          0         0        7       1    0    0    0     0
"""


def test_what_came_over_loopback_was_not_downloaded() -> None:
    assert received(COUNTERS) == 1_234_667


def test_lines_are_stamped_and_the_exit_code_is_the_command_s() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/timed.py", "sh", "-c", "echo one; echo two >&2; exit 3"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert [line.rsplit(maxsplit=1)[1] for line in done.stdout.splitlines()] == ["one", "two"]
    assert all(" s " in line for line in done.stdout.splitlines())
