"""Watches what the processes of a run cost: CPU seconds by kind of process over time, and memory."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np
import psutil

PAUSE = 0.25
"""Seconds between two looks."""

KINDS = ("driver", "jvm", "workers", "broker", "object store")


@dataclass(frozen=True)
class Look:
    """The CPU seconds used up to `at` (epoch milliseconds), by kind of process and by all programs."""

    at: int
    used: dict[str, float]
    machine: float  # by all programs
    stolen: float  # by the machine's host
    resident: Mapping[str, int] = field(default_factory=dict)  # bytes in memory now, by kind of process


class Watch:
    """A thread that looks at processes from entering to leaving; its looks are then in `looks`."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        """Process ids, by kind; what descends from the `driver` is told apart: `jvm` and `workers`."""
        self._roots = dict(roots)
        self._ended: dict[str, float] = defaultdict(float)
        self._last: dict[psutil.Process, tuple[str, float]] = {}
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="bench-watch", daemon=True)
        self.looks: list[Look] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure is not None and kind is None:
            raise self._failure

    def used(self, kind: str, since: int, until: int) -> float:
        """CPU seconds of a kind of process between two moments (epoch milliseconds), interpolated."""
        return self._between([look.used.get(kind, 0.0) for look in self.looks], since, until)

    def peak_bytes(self, kinds: Iterable[str]) -> int:
        """The most memory that these kinds of process had at one moment, as each process shows it."""
        names = list(kinds)
        return max((sum(look.resident.get(name, 0) for name in names) for look in self.looks), default=0)

    def used_until(self, kind: str, until: int) -> float:
        """CPU seconds of a kind of process from its start to a moment."""
        values = [look.used.get(kind, 0.0) for look in self.looks]
        return float(np.interp(until, [look.at for look in self.looks], values))

    def machine(self, since: int, until: int) -> tuple[float, float]:
        """CPU seconds of all programs of the machine, and those its host took, between two moments."""
        return (
            self._between([look.machine for look in self.looks], since, until),
            self._between([look.stolen for look in self.looks], since, until),
        )

    def _between(self, values: list[float], since: int, until: int) -> float:
        first, last = np.interp([since, until], [look.at for look in self.looks], values)
        return float(last - first)

    def _run(self) -> None:
        try:
            while not self._stop.wait(PAUSE):
                self._look()
        except BaseException as error:  # noqa: BLE001  (raised on leaving: figures without looks are none)
            self._failure = error

    def _look(self) -> None:
        now: dict[psutil.Process, tuple[str, float]] = {}
        resident: dict[str, int] = defaultdict(int)
        for root, pid in self._roots.items():
            try:
                tree = [psutil.Process(pid)]
                if pid != os.getpid():  # all that this one started has a kind of its own
                    tree += tree[0].children(recursive=True)
            except psutil.NoSuchProcess:
                continue  # it has not started, or ended: `run` sees to it that none is replaced by another
            for process in tree:
                try:
                    kind = root if root != "driver" else _kind(process, pid)
                    times = process.cpu_times()
                    now[process] = kind, times.user + times.system
                    resident[kind] += process.memory_info().rss
                except (psutil.NoSuchProcess, psutil.ZombieProcess):
                    continue  # it ended while we looked: its last known times count below
        for process, (kind, used) in self._last.items():
            if process not in now:
                self._ended[kind] += used
        self._last = now
        total = defaultdict(float, self._ended)
        for kind, used in now.values():
            total[kind] += used
        every = psutil.cpu_times()
        idle = every.idle + getattr(every, "iowait", 0.0)
        stolen = getattr(every, "steal", 0.0)
        self.looks.append(
            Look(time.time_ns() // 1_000_000, dict(total), sum(every[:8]) - idle - stolen, stolen, resident)
        )


def _kind(process: psutil.Process, job: int) -> str:
    if process.pid == job:
        return "driver"
    return "jvm" if "java" in process.name() else "workers"
