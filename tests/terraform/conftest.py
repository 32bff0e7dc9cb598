"""Each variant of the stack is applied once, against a mocked AWS."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.terraform.mocked import VARIANTS, Stack, applied, copied, provider_environment


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Terraform what needs it is skipped, and says why."""
    if shutil.which("terraform") is None:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="terraform is not on PATH; install Terraform 1.11 or newer"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What terraform finds in its environment."""
    return provider_environment(tmp_path_factory.mktemp("provider"))


@pytest.fixture(scope="session")
def stack_of(tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]) -> Callable[[str], Stack]:
    """`stack_of(variant)`: that variant, applied."""
    configuration = copied(tmp_path_factory.mktemp("stack"))
    stacks: dict[str, Stack] = {}

    def get(name: str) -> Stack:
        if name not in stacks:
            stacks[name] = applied(configuration, VARIANTS[name], environment)
        return stacks[name]

    return get
