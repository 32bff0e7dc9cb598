"""Each variant of the stack is applied once, against a mocked AWS."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

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
from tests.terraform.shares import Shares, share_of


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lives first: they take longest, and mostly wait."""
    items.sort(key=lambda item: not share_of(item.nodeid).startswith("life of"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares:
    """With several processes, what is shared is made in one."""
    return Shares(config, log)


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
