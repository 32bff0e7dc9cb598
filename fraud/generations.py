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
    """The generation of a micro-batch: the last that began at or before it. Raises LookupError for none."""
    begun = [each for each in generations if each.first_batch_id <= batch_id]
    if not begun:
        raise LookupError(f"no generation decides micro-batch {batch_id}")
    return max(begun, key=lambda each: each.number)


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

    It is the last of `existing` when nothing that decides has changed. One that no micro-batch was planned
    under never decided anything: it is ignored, and its number taken. Raises SettingsError as `check` does.
    """
    check(rules, settings)
    used = sorted((each for each in existing if each.first_batch_id < next_batch_id), key=lambda g: g.number)
    wanted = Generation(
        number=used[-1].number + 1 if used else 1,
        first_batch_id=next_batch_id,
        allowed_lateness=settings.allowed_lateness,
        retention=settings.retention,
        clock_skew=settings.clock_skew,
        rules=rules,
    )
    if not used:
        return wanted, []
    if used[-1].decides_like(wanted):
        return (wanted if len(used) < len(existing) else used[-1]), []
    messages = [
        f"rules or settings have changed: generation {wanted.number} decides from micro-batch "
        f"{next_batch_id} on; payments read before keep their rules"
    ]
    # What is remembered now may still be what the shortest retention so far has left of it.
    shortest = min(used, key=lambda each: each.retention + each.allowed_lateness)
    for rule in rules.rules:
        window = rule.window or 0
        wait = window + settings.allowed_lateness - shortest.retention - shortest.allowed_lateness
        if rule.enabled and window > shortest.retention and wait > 0:
            messages.append(
                f"rule {rule.id!r} looks back {format_duration(window)}, further than was remembered so far "
                f"({format_duration(shortest.retention)} behind the watermark): it is complete at the latest "
                f"once event time has moved on by {format_duration(wait)}"
            )
    return wanted, messages
