"""Where a start goes on: under which generations, and from records that must still be there."""

from collections.abc import Callable

from pydantic import ValidationError

from fraud.generations import Generation, next_generation
from fraud.rules import RuleSet
from fraud.settings import Settings, SettingsError
from jobs.detect.accounting import loss
from jobs.detect.errors import JobError
from jobs.detect.offsets import Files, Offsets, ReadableFiles
from jobs.detect.seal import REMEDY, generation_file


def stored_generations(
    files: Files, rules: RuleSet, settings: Settings, next_batch_id: int, say: Callable[[str], None]
) -> list[Generation]:
    """All generations, the one for the next micro-batch among them and stored. Raises SettingsError for one
    that cannot be read."""
    stored = read_generations(files)
    generation, messages = next_generation(stored, rules, settings.detection, next_batch_id)
    for message in messages:
        say(message)
    if generation not in stored:
        files.write(generation_file(generation), generation.model_dump_json(indent=2))
    others = [each for each in stored if each.number != generation.number]
    return sorted([*others, generation], key=lambda each: each.number)


def read_generations(files: ReadableFiles) -> list[Generation]:
    """All that a checkpoint has stored, in no order. Raises SettingsError for one that cannot be read."""
    return [
        _stored(files, f"generations/{name}")
        for name in files.names("generations")
        if name.endswith(".json") and not name.startswith(".")
    ]


def _stored(files: ReadableFiles, name: str) -> Generation:
    try:
        return Generation.model_validate_json(files.read(name) or "")
    except ValidationError as error:
        raise SettingsError(
            [
                f"{name} of the checkpoint is damaged, or of another release "
                f"({error.errors()[0]['msg']}): {REMEDY}"
            ]
        ) from error


def check_for_loss(unread: Offsets, earliest: Offsets, accept_loss: bool, say: Callable[[str], None]) -> None:
    losses = [
        loss(partition, offset, earliest[partition])
        for partition, offset in sorted(unread.items())
        if earliest.get(partition, 0) > offset
    ]
    if losses and not accept_loss:
        raise JobError("; ".join(losses))
    for each in losses:
        say(each)
