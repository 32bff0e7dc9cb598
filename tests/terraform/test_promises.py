"""The stack keeps its promises, in every variant."""

from collections.abc import Callable

import pytest

from tests.terraform.mocked import VARIANTS, Stack
from tests.terraform.promises import PROMISES


@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("promise", PROMISES)
def test_the_stack_keeps_its_promise(variant: str, promise: str, stack_of: Callable[[str], Stack]) -> None:
    assert list(PROMISES[promise](stack_of(variant))) == []
