"""Generations: the rules and settings that decide, and from which micro-batch on they do.

A payment is judged for life by the generation of the micro-batch that first read it; a replayed
micro-batch by the generation it had.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from fraud.durations import format_duration
from fraud.rules import RuleSet
from fraud.settings import DetectionSettings, SettingsError


class Generation(BaseModel):
    """Everything that affects decisions, from micro-batch `first_batch_id` on. Durations in milliseconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    first_batch_id: int
    allowed_lateness: int
    retention: int
    clock_skew: int
    rules: RuleSet

    def decides_like(self, other: "Generation") -> bool:
        """Whether both decide the same of every payment."""
        where = {"number": 0, "first_batch_id": 0}
        return self.model_copy(update=where) == other.model_copy(update=where)


def generation_at(generations: Sequence[Generation], batch_id: int) -> Generation:
    """The generation of a micro-batch: the last that began at or before it."""
    return max((g for g in generations if g.first_batch_id <= batch_id), key=lambda g: g.number)


def check(rules: RuleSet, settings: DetectionSettings) -> None:
    """Raises SettingsError when a rule looks back further than the retention."""
    problems = [
        f"rule {rule.id!r} looks back {format_duration(rule.window)}, but FRAUD_RETENTION is "
        f"{format_duration(settings.retention)}: raise the retention or shorten the window"
        for rule in rules.rules
        if rule.enabled and rule.window and rule.window > settings.retention
    ]
    if problems:
        raise SettingsError(problems)


def next_generation(
    existing: Sequence[Generation], rules: RuleSet, settings: DetectionSettings, next_batch_id: int
) -> tuple[Generation, list[str]]:
    """The generation for micro-batches from `next_batch_id` on, and what a person should know of it.

    It is the last of `existing` when nothing that decides has changed. It takes the last one's number
    when no micro-batch was ever planned under that. Raises SettingsError as `check` does.
    """
    check(rules, settings)
    last = max(existing, key=lambda g: g.number, default=None)
    unused = last is not None and last.first_batch_id >= next_batch_id
    wanted = Generation(
        number=1 if last is None else last.number if unused else last.number + 1,
        first_batch_id=next_batch_id,
        allowed_lateness=settings.allowed_lateness,
        retention=settings.retention,
        clock_skew=settings.clock_skew,
        rules=rules,
    )
    if last is None:
        return wanted, []
    if last.decides_like(wanted):
        return last, []
    messages = [
        f"rules or settings have changed: generation {wanted.number} decides from micro-batch "
        f"{next_batch_id} on; payments read before keep their rules"
    ]
    reach = last.retention + last.allowed_lateness
    for rule in rules.rules:
        window = rule.window or 0
        wait = window + settings.allowed_lateness - reach
        if rule.enabled and window > last.retention and wait > 0:
            messages.append(
                f"rule {rule.id!r} looks back {format_duration(window)}, further than was remembered "
                f"so far ({format_duration(last.retention)} behind the watermark): it is complete once event "
                f"time has moved on by {format_duration(wait)}"
            )
    return wanted, messages
