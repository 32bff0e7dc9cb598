"""For unit tests: a supervisor of their own, and what it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.native.supervisor import Supervisor


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, lines: list[str]) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "logs", tmp_path / "processes.json", tmp_path, lines.append) as supervisor:
        yield supervisor
