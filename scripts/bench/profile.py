"""Records where the running job's time goes: the JVM by JFR, the Python workers and the driver by py-spy."""

import json
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

PY_SPY = Path(sys.executable).with_name("py-spy")
RATE = 50
"""Looks a second of py-spy, and of JFR (its setting `profile` looks every 20 ms)."""

SHOWN = 40
"""Lines of each list in the summary."""


class ProfileError(Exception):
    """A profile cannot be taken here; one sentence."""


class Profile:
    """Records from entering to leaving; `summarise` then writes a text that a person reads."""

    def __init__(self, job: int, folder: Path, java_home: Path) -> None:
        """`job`: the process id of the driver, ready. Raises ProfileError."""
        self._jcmd, self._jfr = (java_home / "bin" / name for name in ("jcmd", "jfr"))
        if not self._jcmd.exists() or not self._jfr.exists():
            raise ProfileError(f"a profile needs a JDK, {java_home} is only a runtime: set JAVA_HOME")
        if not PY_SPY.exists():
            raise ProfileError("py-spy is not installed: use scripts/bench.sh, which installs it")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._driver = job
        java = [each for each in psutil.Process(job).children(recursive=True) if "java" in each.name()]
        self._java = max(java, key=lambda each: each.memory_info().rss).pid
        self._daemon = min(
            each.pid for each in psutil.Process(self._java).children() if "python" in each.name()
        )
        self._pythons: dict[str, subprocess.Popen[bytes]] = {}
        self._threads: Counter[str] = Counter()  # seconds

    def __enter__(self) -> Self:
        recording = ["name=bench", "settings=profile", f"filename={self._folder / 'jvm.jfr'}"]
        _run(self._jcmd, str(self._java), "JFR.start", *recording)
        self._threads.subtract(_thread_seconds(self._java))
        self._watch_python("workers", self._daemon, "--subprocesses")
        self._watch_python("driver", self._driver)
        return self

    def _watch_python(self, name: str, pid: int, *more: str) -> None:
        options = ["--pid", str(pid), "--rate", str(RATE), "--format", "raw", "--duration", "unlimited"]
        command = [str(PY_SPY), "record", *options, "--output", str(self._folder / f"{name}.folded"), *more]
        with (self._folder / f"py-spy-{name}.log").open("wb") as log:
            self._pythons[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        for python in self._pythons.values():
            python.send_signal(signal.SIGINT)  # it writes its file and ends
        try:
            if kind is None:
                self._threads.update(_thread_seconds(self._java))
                _run(self._jcmd, str(self._java), "JFR.stop", "name=bench")
        finally:
            for python in self._pythons.values():
                _end(python)

    def summarise(self) -> Path:
        """Write `summary.txt` beside the recordings: CPU by the JVM's threads, then the samples."""
        lines = ["CPU seconds of the JVM by thread (Linux only)"]
        lines += [f"{used:8.2f}  {name}" for name, used in self._threads.most_common(20) if used > 0.05]
        recordings = {
            "the JVM, Java code": self._java_stacks(),
            "the Python workers": self._python_stacks("workers"),
            "the driver's Python": self._python_stacks("driver"),
        }
        for name, stacks in recordings.items():
            lines += ["", *_ranking(name, list(stacks))]
        path = self._folder / "summary.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def _java_stacks(self) -> Iterator[tuple[list[str], int]]:
        events = ["--json", "--events", "jdk.ExecutionSample", "--stack-depth", "64"]
        text = _run(self._jfr, "print", *events, str(self._folder / "jvm.jfr"))
        for event in json.loads(text)["recording"]["events"]:
            frames = (event["values"]["stackTrace"] or {"frames": []})["frames"]
            methods = [frame["method"] for frame in frames]
            yield [f"{each['type']['name'].replace('/', '.')}.{each['name']}" for each in methods][::-1], 1

    def _python_stacks(self, name: str) -> Iterator[tuple[list[str], int]]:
        """The stacks of py-spy's file, outermost first, and how often each was seen."""
        file, log = self._folder / f"{name}.folded", self._folder / f"py-spy-{name}.log"
        if not file.exists():
            why = " ".join(log.read_text(encoding="utf-8", errors="replace").split())[-300:]
            raise ProfileError(f"py-spy recorded nothing of the {name}: {why}")
        for line in file.read_text(encoding="utf-8").splitlines():
            stack, _, count = line.rpartition(" ")
            yield stack.split(";"), int(count)


def _end(python: "subprocess.Popen[bytes]") -> None:
    try:
        python.wait(60)
    except subprocess.TimeoutExpired:
        python.kill()
        python.wait()


def _ranking(name: str, stacks: Iterable[tuple[list[str], int]]) -> list[str]:
    """Two lists of frames: where samples ended, and what was on the stack."""
    own: Counter[str] = Counter()
    below: Counter[str] = Counter()
    for stack, count in stacks:
        own.update({stack[-1]: count} if stack else {})
        below.update(dict.fromkeys(set(stack), count))
    total = sum(own.values())
    lines = [f"{name}: {total} samples"]
    for title, frames in (("itself", own), ("with what it calls", below)):
        lines += [f"  {title}:"]
        lines += [f"  {count / total:6.1%}  {frame}" for frame, count in frames.most_common(SHOWN)]
    return lines


def _thread_seconds(pid: int) -> Counter[str]:
    """CPU seconds of a process by the names of its threads, without their numbers; Linux only."""
    tasks = Path(f"/proc/{pid}/task")
    found: Counter[str] = Counter()
    for thread in psutil.Process(pid).threads() if tasks.exists() else []:
        name = tasks / str(thread.id) / "comm"
        if name.exists():
            text = name.read_text(encoding="utf-8").strip().rstrip("0123456789-# ")
            found[text] += thread.user_time + thread.system_time
    return found


def _run(command: Path, *arguments: str) -> str:
    if shutil.which(str(command)) is None:
        raise ProfileError(f"{command} cannot be run")
    done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProfileError(f"{command.name} failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout
