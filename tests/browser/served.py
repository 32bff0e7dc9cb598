"""The real dashboard over a lane's objects, as the stack runs it; its log must stay free of tracebacks."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from urllib.request import urlopen

from local.native import dashboard
from local.native.ports import HOST, is_free
from local.native.stack import Stack

_numbers = itertools.count()


@contextmanager
def served(stack: Stack, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of a dashboard with this environment."""
    port = next(port for port in range(stack.ports.s3 + 8, 30_000) if is_free(port))
    program = dashboard.program(stack.module("streamlit"), port, environment, reload=False)
    program = replace(program, name=f"dashboard-{next(_numbers)}", essential=True)
    address = f"http://{HOST}:{port}"
    stack.supervisor.start(program)
    try:
        stack.supervisor.wait(lambda: _answers(address), "an answer", 60, program.name)
        yield address
    finally:
        stack.supervisor.stop(program.name)
    log = stack.supervisor.log(program.name).read_text("utf-8")
    assert "Traceback" not in log, log


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/_stcore/health", timeout=5) as answer:  # noqa: S310  # on loopback
            return bool(answer.read() == b"ok")
    except OSError:
        return False
