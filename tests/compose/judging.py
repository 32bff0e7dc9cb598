"""How the stack's job gets on, and whether all that it has written is exact."""

from pathlib import Path

from tests.compose.stack import ComposeStack
from tests.faults.judgement import judged


def batches(stack: ComposeStack, since: str = "0") -> int:
    """How many micro-batches the job's container has reported, in all its lives or `since` a time."""
    return sum(line.startswith("batch") for line in stack.logs("detect", since).splitlines())


def wait_for_more(stack: ComposeStack, count: int = 3) -> None:
    """Until the job has gone on."""
    seen = batches(stack)
    stack.wait(f"{count} more micro-batches", lambda: batches(stack) >= seen + count)


def assert_exact(stack: ComposeStack, folder: Path) -> None:
    """Stop the payments, let the job come to their end, compare everything with the oracle."""
    stack.compose("stop", "producer")
    stack.wait_until_caught_up()
    verdict = judged(stack.lane(folder))
    assert verdict.differences == []
    assert verdict.records > 500
    assert verdict.alerts > 5
