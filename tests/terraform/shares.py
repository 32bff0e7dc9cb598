"""Which tests run in one process, when several run side by side: those that share what is dear to make."""

from xdist.scheduler import LoadScopeScheduling

_SHARED = {
    "test_archives.py": "archives",
    "test_deploy.py": "account",
    "test_destroy.py": "account",
    "test_smoke.py": "account",
    "test_mutations.py": "mutated stacks",
}
"""File to what its tests share; all others share the mocked stacks."""
_ALONE = ("test_each_fault_alone", "test_a_promise_broken_alone", "test_a_stack_is_deployed")
"""Tests that make all they need."""


def share_of(test: str) -> str:
    """What a test, by its id, shares with others: all that share one thing run in one process.

    pytest-xdist's own way, the mark xdist_group with `--dist loadgroup`, does nothing from pytest 9.2 on: it
    writes the group into an item's `_nodeid`, which pytest no longer reads.
    """
    path, _, name = test.partition("::")
    file = path.rpartition("/")[2]
    if name.startswith(_ALONE):
        return name
    if file == "test_lifecycle.py":  # each life is one stack's, which is the parameter
        return f"life of {name.partition('[')[2]}"
    return _SHARED.get(file, "mocked stacks")


class Shares(LoadScopeScheduling):
    """Sends tests that share something to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)
