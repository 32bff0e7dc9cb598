"""For the checks of a stack on AWS, which scripts/smoke-aws.sh runs."""

import json
import os
from typing import Any

import pytest

from scripts.aws.smoke import OUTPUTS


@pytest.fixture(scope="session")
def outputs() -> dict[str, Any]:
    """Terraform's outputs."""
    if OUTPUTS not in os.environ:
        pytest.skip("there is no stack on AWS to check; scripts/smoke-aws.sh checks one")
    found: dict[str, Any] = json.loads(os.environ[OUTPUTS])
    return found
