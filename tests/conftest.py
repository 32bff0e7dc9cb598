"""For all tests: what only `--all` runs; and how long an example takes says nothing on a busy machine."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--all`: also what takes too long for each change."""
    parser.addoption("--all", action="store_true", help="also what takes minutes more, or an hour")


def pytest_configure(config: pytest.Config) -> None:
    """The mark of what only `--all` runs."""
    config.addinivalue_line("markers", "whole_matrix: runs with --all only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `--all` the whole matrix is left out."""
    if not config.getoption("--all"):
        items[:] = [item for item in items if item.get_closest_marker("whole_matrix") is None]
