"""Tests that share something dear run in one process, lives of stacks in others than all else."""

import pytest

from tests.terraform.shares import share_of

FOLDER = "tests/terraform"


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("test_lifecycle.py::test_its_figures[demo]", "test_lifecycle.py::test_nothing_is_left[demo]", True),
        ("test_lifecycle.py::test_its_figures[demo]", "test_lifecycle.py::test_its_figures[private]", False),
        ("test_lifecycle.py::test_its_figures[demo]", "test_outputs.py::test_addresses[demo]", False),
        (
            "test_lifecycle.py::test_each_fault_alone[a-b]",
            "test_lifecycle.py::test_each_fault_alone[c-d]",
            False,
        ),
        ("test_outputs.py::test_addresses[demo]", "test_static.py::test_scripts[private]", True),
        ("test_deploy.py::test_yes", "test_smoke.py::test_no_alarm", True),
        ("test_mutations.py::test_a_broken_promise[a]", "test_mutations.py::test_a_broken_promise[b]", True),
        (
            "test_mutations.py::test_a_promise_broken_alone[a]",
            "test_mutations.py::test_a_promise_broken_alone[b]",
            False,
        ),
    ],
)
def test_what_is_shared_decides_which_tests_run_in_one_process(one: str, other: str, together: bool) -> None:
    assert (share_of(f"{FOLDER}/{one}") == share_of(f"{FOLDER}/{other}")) is together
