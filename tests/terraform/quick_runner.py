"""The runner of EMR as a process that waits less: it asks again, and calls a release proven, in a moment."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.terraform.mocked import ROOT

_RUNNER = ROOT / "terraform" / "modules" / "emr" / "files" / "runner.py"
_SECONDS = 120


@contextmanager
def running_runner(
    folder: Path, environment: Mapping[str, str], *, proven: float = 0.5
) -> Iterator[subprocess.Popen[str]]:
    """A runner whose files lie in `folder`, its output in `log.txt` there; at the end it is told to end."""
    code = (
        f"import runpy, sys; sys.argv[0] = {str(_RUNNER)!r}; m = runpy.run_path({str(_RUNNER)!r}); "
        f"g = m['main'].__globals__; g['POLL'] = 0.5; g['PROVEN'] = {proven}; "
        "g['time'].sleep = (lambda s, sleep=g['time'].sleep: sleep(min(s, 0.2))); sys.exit(m['main']())"
    )
    arguments = ["--artifacts", "s3://work/artifacts", "--folder", str(folder)]
    with (folder / "log.txt").open("w") as log:
        runner = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            env=dict(environment),
            stdout=log,
            stderr=log,
            text=True,
        )
        try:
            yield runner
        finally:
            runner.send_signal(signal.SIGTERM)
            runner.wait(_SECONDS)
