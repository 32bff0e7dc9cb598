"""Each variant of the stack is applied once, against a mocked AWS."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.terraform.account import Account
from tests.terraform.cloudformation import CloudFormation, opened_cloudformation
from tests.terraform.mocked import (
    NO_TERRAFORM,
    VARIANTS,
    Stack,
    applied,
    copied,
    provider_environment,
    provider_lacks,
)
from tests.terraform.scenario import Person


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process of several runs all that shares the mocked stacks. What lives in a simulated AWS mostly
    waits."""
    for item in items:
        grouped = any(item.iter_markers("xdist_group")) or any(item.iter_markers("whole_matrix"))
        if Path(__file__).parent in item.path.parents and not grouped:
            item.add_marker(pytest.mark.xdist_group("mocked"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What terraform finds in its environment; the provider is there. Without Terraform: skipped."""
    if shutil.which("terraform") is None:
        pytest.skip(NO_TERRAFORM)
    environment = provider_environment(tmp_path_factory.mktemp("provider"))
    if why := provider_lacks(tmp_path_factory.mktemp("provider-init"), environment):
        pytest.fail(why)
    return environment


@pytest.fixture(scope="session")
def stack_of(
    tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]
) -> Callable[[str], Stack]:
    """`stack_of(variant)`: that variant, applied."""
    configuration = copied(tmp_path_factory.mktemp("stack"))
    stacks: dict[str, Stack] = {}

    def get(name: str) -> Stack:
        if name not in stacks:
            stacks[name] = applied(configuration, VARIANTS[name], environment)
        return stacks[name]

    return get


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What lived in the simulated AWS, in figures."""
    figures = [
        str(value)
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "figures"
    ]
    for line in sorted(figures):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One simulated account for all tests of the scripts; each has names of its own there."""
    with Account(tmp_path_factory.mktemp("account") / "log") as account:
        yield account


@pytest.fixture
def person(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody with that account and a fake terraform."""
    return Person(account, tmp_path, monkeypatch)


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    """It takes the reports of one custom resource."""
    with opened_cloudformation() as cloudformation:
        yield cloudformation
