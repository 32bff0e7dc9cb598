"""A run of the demo as a person sees it: its command, what it says, and its end."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.native.java import ROOT
from local.native.ports import HOST, Ports

STATE = ROOT / ".state" / "screenshots"
READY = 240
"""Seconds that the demo may take until its job is ready."""
_END = 60
_LAST_OF_START = "  Ctrl-C stops everything."
_SHOWN = 24
"""Lines of the traffic that fit into a picture."""


class DemoFailedError(Exception):
    """The demo ended by itself, or is not ready in time; the message has the end of what it said."""


class Demo:
    """A running demo; `console` is the file with all that it said."""

    def __init__(self, process: subprocess.Popen[bytes], console: Path, ports: Ports) -> None:
        self._process, self._console = process, console
        self.dashboard = f"http://{HOST}:{ports.dashboard}"

    def lines(self) -> list[str]:
        """What it said so far. Paths are shown from the project's folder on."""
        return self._console.read_text("utf-8", errors="replace").replace(f"{ROOT}/", "").splitlines()

    def wait(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        """Return when `condition` holds. Raises DemoFailedError when it ends before, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            code = self._process.poll()
            if code is not None:
                raise DemoFailedError(f"the demo ended with exit code {code}:\n{self._last()}")
            if time.monotonic() > deadline:
                raise DemoFailedError(f"{what} did not happen in {seconds:.0f} s:\n{self._last()}")
            time.sleep(0.2)

    def _last(self) -> str:
        return "\n".join(f"  | {line}" for line in self.lines()[-20:])


@contextmanager
def running_demo(ports: Ports, rate: int) -> Iterator[Demo]:
    """The demo, ready, with traffic. At the end, however it comes, it has stopped in order."""
    STATE.parent.mkdir(exist_ok=True)
    console = STATE.with_suffix(".console")
    options = [
        "--fresh", f"--state={STATE}", f"--rate={rate}", f"--kafka-port={ports.kafka}",
        f"--s3-port={ports.s3}", f"--dashboard-port={ports.dashboard}",
    ]  # fmt: skip
    with console.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.native", "demo", *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C reaches us alone; we stop it in order
        )
    try:
        demo = Demo(process, console, ports)
        demo.wait(lambda: any(line.startswith("ready:") for line in demo.lines()), "ready", READY)
        yield demo
    finally:
        process.terminate()
        try:
            process.wait(_END)
        except subprocess.TimeoutExpired:
            process.kill()  # its supervisor's record lets the next start stop what is left
            process.wait()


def shown(lines: Sequence[str]) -> list[str]:
    """The command, how the run began, and as much of the traffic from its first alert on as fits."""
    start = lines.index(_LAST_OF_START) + 1 if _LAST_OF_START in lines else 0
    traffic = lines[start:]
    first = next((at for at, line in enumerate(traffic) if line.startswith("ALERT ")), 0)
    begin = max(0, first - 3)
    part = traffic[begin : begin + _SHOWN]
    return ["$ scripts/demo.sh", *lines[:start], *(["..."] if begin else []), *part, "..."]
