"""One process of the stack: starts it in a session of its own, reads its log, ends it with all it started."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """What to run and how to treat it; the output goes to a log of that name."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stage: int = 0
    """Higher stages are stopped first; programs of one stage together."""
    grace: float = 10.0
    """Seconds between SIGTERM and SIGKILL."""
    finite: bool = False
    """True: exit code 0 is a normal end; False: the process must run until it is stopped."""
    echo: bool = False
    """True: new lines of its log are shown on the console."""
    essential: bool = True
    """False: when it ends for good, the others go on without it."""


@dataclass(frozen=True)
class Ending:
    """How a process ended: `exit_code` as Process has it, and where its log is."""

    name: str
    exit_code: int
    log: Path


class Process:
    """A running Program. Its output goes straight to `log`, so it outlives a supervisor that is killed."""

    def __init__(self, program: Program, log: Path, cwd: Path) -> None:
        """Start it. Raises OSError when the program is not there."""
        self.program, self.log = program, log
        with log.open("ab") as output:
            self._read = output.tell()
            self._child = subprocess.Popen(
                list(program.command),
                env=dict(program.environment),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the terminal's Ctrl-C reaches only the supervisor
            )
        self.pid = self._child.pid
        self.started = start_time(self.pid)

    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._child.poll()

    def new_lines(self) -> list[str]:
        """The whole lines that the log gained since the last call (a last half line once it has ended)."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = len(text) if self.exit_code() is not None else text.rfind(b"\n") + 1
        self._read += whole
        return text[:whole].decode(errors="replace").splitlines()

    def ask_to_stop(self) -> None:
        """SIGTERM for the process alone: it ends its own children in order."""
        if self.exit_code() is None:
            self._child.terminate()

    def kill(self) -> int:
        """SIGKILL for it and all that it started; the exit code, when the process itself is gone."""
        kill_all_of(self.pid)
        return self._child.wait()


def tail(log: Path, lines: int = 15) -> list[str]:
    """The last lines of a log; empty when there is none."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 64 * 1024))
        return file.read().decode(errors="replace").splitlines()[-lines:]


def start_time(pid: int) -> str | None:
    """When the process started, in the system's words: tells it from a later one with the same number.

    None when there is no such process (one that ended and was not waited for counts as none).
    """
    proc = Path("/proc")
    if (proc / "self").exists():
        fields = _stat(proc / str(pid))
        return fields[19] if fields and fields[0] != "Z" else None
    said = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607  # macOS: ps is where PATH says
        capture_output=True, text=True, check=False,
    ).stdout.split(maxsplit=1)  # fmt: skip
    return said[1].strip() if len(said) == 2 and not said[0].startswith("Z") else None


def kill_all_of(leader: int) -> None:
    """SIGKILL for a process, its group, its session, and all that descend from it with their sessions."""
    for pid in _family(leader):
        _send(os.kill, pid)
    _send(os.killpg, leader)


def _family(leader: int) -> list[int]:
    """Every process that descends from `leader` or belongs to the session of one that does.

    Empty where there is no /proc: there the group of the leader has to do.
    """
    parents, sessions = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _stat(folder)
        if fields and fields[0] != "Z":
            pid = int(folder.name)
            parents[pid], sessions[pid] = int(fields[1]), int(fields[3])
    family = {leader}
    while True:
        more = {pid for pid in parents if parents[pid] in family or sessions[pid] in family} - family
        if not more:
            return sorted(family & parents.keys())
        family |= more


def _stat(folder: Path) -> list[str]:
    """/proc/PID/stat from its third field on (state, parent, group, session, ...); empty when it is gone."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended meanwhile
        return []


def _send(kill: Callable[[int, int], None], target: int) -> None:
    try:
        kill(target, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone already; macOS says so of a zombie's group
        return
