"""Runs the programs of the stack: restarts what may be, gives up with a reason, leaves nothing behind."""

import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self, TypeVar

from local.native.leftovers import write_record
from local.native.process import Ending, Process, Program, tail
from local.native.restarts import described, recent, why_not_restart

PAUSE = 0.05
T = TypeVar("T")


def aloud(line: str) -> None:
    """Print a line at once, also into a pipe or a file: an alert must not wait in a buffer."""
    print(line, flush=True)


class GaveUpError(Exception):
    """A program ended for good, or is not ready in time: which, why, the end of its log, where that is."""

    def __init__(self, name: str, why: str, log: Path) -> None:
        last = [f"  | {line}" for line in tail(log)] or ["  (its log is empty)"]
        super().__init__(
            "\n".join([f"{name}: {why}. The last lines of its log:", *last, f"The whole log: {log}"])
        )
        self.name = name


class StoppedError(Exception):
    """Somebody asked us to stop: Ctrl-C, SIGTERM or SIGHUP."""


class Supervisor:
    """Owns the processes of one stack. A context: on leaving it nothing that it started runs any more."""

    def __init__(self, logs: Path, record: Path, cwd: Path, say: Callable[[str], None] = aloud) -> None:
        """`logs` gets a log a program, `record` the list of what runs, for a next start after SIGKILL."""
        self._logs, self._record, self._cwd, self._say = logs, record, cwd, say
        self._running: dict[str, Process] = {}
        self._restarts: dict[str, list[float]] = {}
        self._seen: dict[str, deque[str]] = {}
        self._ended: dict[str, int] = {}
        self._stops = 0

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self._handlers = {number: signal.signal(number, self._asked) for number in signals}
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        try:
            self.stop_all()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def start(self, program: Program) -> None:
        """Start it; the log of the run before is kept beside as NAME.log.1."""
        log = self.log(program.name)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        self._seen[program.name] = deque(maxlen=200)
        self._ended.pop(program.name, None)
        self._run(program)

    def log(self, name: str) -> Path:
        """Where the output of the program of this name goes."""
        return self._logs / f"{name}.log"

    def pid(self, name: str) -> int:
        """The process id of the running program of this name."""
        return self._running[name].pid

    def said(self, name: str, beginning: str) -> bool:
        """Whether the program printed a line with this beginning since its (last re-)start."""
        return any(line.startswith(beginning) for line in self._seen[name])

    def ended(self, name: str) -> bool:
        """Whether the finite program of this name ended well."""
        return self._ended.get(name) == 0

    def wait(
        self, condition: Callable[[], bool], what: str = "", seconds: float | None = None, name: str = ""
    ) -> None:
        """Look after all processes until `condition` holds.

        Raises StoppedError when asked to stop, GaveUpError when an essential process ended for good, or when
        `condition` does not hold after `seconds`; then `what` was waited for, and `name` is to blame.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            self.look_after()
            if condition():
                return
            if deadline is not None and time.monotonic() >= deadline:
                raise GaveUpError(name, f"{what} did not happen in {seconds:.0f} s", self.log(name))
            time.sleep(PAUSE)

    def during(self, work: Callable[[], T]) -> T:
        """The result of `work`, which runs beside the supervision, so that Ctrl-C need not wait for it.

        Raises what `work` raises, StoppedError and GaveUpError.
        """
        result: Future[T] = Future()

        def run() -> None:
            try:
                result.set_result(work())
            except BaseException as error:  # noqa: BLE001  # handed to the caller
                result.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        self.wait(result.done)
        return result.result()

    def look_after(self) -> None:
        """Show new output, restart what ended. Raises StoppedError, GaveUpError."""
        if self._stops:
            raise StoppedError
        for name, process in list(self._running.items()):
            code = process.exit_code()
            self._take_lines(process)
            if code is not None:
                self._after_end(name, process, code)

    def stop(self, *names: str) -> list[Ending]:
        """Stop these programs together: SIGTERM, then SIGKILL after their grace or at a second Ctrl-C.

        Returns how they ended, also those that had ended well by themselves.
        """
        stopping = [self._running[name] for name in names if name in self._running]
        for process in stopping:
            process.ask_to_stop()
        since = time.monotonic()
        while any(process.exit_code() is None for process in stopping) and self._stops < 2:
            for process in stopping:
                self._take_lines(process)
                if time.monotonic() - since > process.program.grace and process.exit_code() is None:
                    process.kill()
            time.sleep(PAUSE)
        for process in stopping:
            self._ended[process.program.name] = process.kill()  # also what it may have left in its session
            self._take_lines(process)
            del self._running[process.program.name]
        write_record(self._record, self._running.values())
        return [Ending(name, self._ended[name], self.log(name)) for name in names if name in self._ended]

    def stop_all(self) -> None:
        """Stop everything, stage by stage, the highest first."""
        for stage in sorted({process.program.stage for process in self._running.values()}, reverse=True):
            names = [name for name, process in self._running.items() if process.program.stage == stage]
            self._tell(f"stopping {', '.join(names)} ... (Ctrl-C again kills all at once)")
            self.stop(*names)

    def _run(self, program: Program) -> None:
        self._running[program.name] = Process(program, self.log(program.name), self._cwd)
        write_record(self._record, self._running.values())

    def _after_end(self, name: str, process: Process, code: int) -> None:
        process.kill()  # what it left in its session
        del self._running[name]
        write_record(self._record, self._running.values())
        if code == 0 and process.program.finite:
            self._ended[name] = code
            return
        now, restarts = time.monotonic(), self._restarts.get(name, [])
        why_not = why_not_restart(code, restarts, now)
        if why_not:
            gave_up = GaveUpError(name, why_not, process.log)
            if process.program.essential:
                raise gave_up
            self._ended[name] = code
            self._tell(f"error: {gave_up}\nEverything else goes on without it.")
            return
        restarts = self._restarts[name] = [*recent(restarts, now), now]
        self._tell(f"{name} {described(code)}; restarting it ({len(restarts)})")
        self._seen[name] = deque(maxlen=200)
        self._run(process.program)

    def _take_lines(self, process: Process) -> None:
        for line in process.new_lines():
            if process.program.echo:
                self._tell(line)
            self._seen[process.program.name].append(line)

    def _tell(self, line: str) -> None:
        try:
            self._say(line)
        except OSError:  # the terminal is gone, or `| head` has had enough: stopping goes on unseen
            self._say = _to_nobody
            self._stops = max(self._stops, 1)

    def _asked(self, _: int, __: FrameType | None) -> None:
        self._stops += 1


def _to_nobody(_: str) -> None:
    """Where lines go when nobody is there to read them."""
