"""No promise is empty: each mutation of `terraform/` is noticed by the promise that is about it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.terraform.mocked import VARIANTS, Stack, applied, copied
from tests.terraform.mutations import MUTATIONS, Mutation
from tests.terraform.promises import PROMISES


@pytest.fixture(scope="module")
def mutated(
    tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]
) -> Callable[[str], Stack]:
    """`mutated(variant)`: the stack with all mutations of that variant, applied once."""
    stacks: dict[str, Stack] = {}

    def get(variant: str) -> Stack:
        if variant not in stacks:
            configuration = copied(tmp_path_factory.mktemp(f"mutated-{variant}"))
            for mutation in MUTATIONS:
                if mutation.variant == variant:
                    mutation.make(configuration)
            stacks[variant] = applied(configuration, VARIANTS[variant], environment)
        return stacks[variant]

    return get


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: f"{each.variant}: {each.file}: {each.about}")
def test_a_broken_promise_is_noticed(mutation: Mutation, mutated: Callable[[str], Stack]) -> None:
    found = list(PROMISES[mutation.promise](mutated(mutation.variant)))
    assert any(mutation.about in sentence for sentence in found), found


@pytest.mark.whole_matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: f"{each.variant}: {each.file}: {each.about}")
def test_a_promise_broken_alone_is_noticed(
    mutation: Mutation, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    configuration = copied(tmp_path)
    mutation.make(configuration)
    found = list(PROMISES[mutation.promise](applied(configuration, VARIANTS[mutation.variant], environment)))
    assert any(mutation.about in sentence for sentence in found), found


def test_each_sentence_belongs_to_one_mutation() -> None:
    """Else one mutation could hide that another is not noticed."""
    keys = [(each.variant, each.promise, each.about) for each in MUTATIONS]
    assert len(set(keys)) == len(keys)


def test_every_promise_has_a_mutation() -> None:
    assert {each.promise for each in MUTATIONS} == PROMISES.keys()
