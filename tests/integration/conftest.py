"""One real broker and one real S3 server for all integration tests; a lane of its own for each test.

And the brokers of EC2, where there is Terraform to render what they are.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.native.stack import Stack, opened_stack
from tests.integration.ec2_brokers import Brokers, opened_brokers
from tests.integration.lane import Lane, free_ports, opened_lane
from tests.terraform.mocked import NoTerraformError, rendered

_numbers = itertools.count()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with opened_stack(tmp_path_factory.mktemp("native") / "state", free_ports()) as stack:
        stack.start_servers()
        yield stack


@pytest.fixture
def lane(stack: Stack, tmp_path: Path) -> Iterator[Lane]:
    with opened_lane(stack, str(next(_numbers)), tmp_path) as lane:
        yield lane


@pytest.fixture(scope="session")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """Three brokers by the user data that Terraform renders, with the topics."""
    folder = tmp_path_factory.mktemp("ec2")
    try:
        stack = rendered(folder, "demo")
    except NoTerraformError as error:
        pytest.skip(str(error))
    with opened_brokers(stack, folder / "brokers") as brokers:
        brokers.make_topics()
        yield brokers
