"""A start of the job: what is looked for before it takes a checkpoint, and by which rules it goes on."""

from pathlib import Path
from typing import Any

import pytest

from fraud.rules import RuleSet
from fraud.rules_file import load_rules
from fraud.settings import DEFAULT_RULES, Settings, SettingsError
from jobs.detect.alerts_sink import AlertsSink, alerts_key
from jobs.detect.errors import JobError
from jobs.detect.metrics import MetricsSink
from jobs.detect.opening import Opening, Options, open_up
from jobs.detect.seal import Seal
from tests.bucket import Bucket
from tests.unit.test_jobs_accounting import LOG, InMemoryFiles
from tests.unit.test_jobs_checkpoint import identity
from tests.unit.test_jobs_seal import generation

OWN = "0000000a"


class World:
    """A checkpoint with micro-batch 0 committed and micro-batch 1 planned (of LOG), and its topic."""

    name = "transactions"

    def __init__(self) -> None:
        stored = identity().model_copy(update={"checkpoint_id": OWN})
        self.files = InMemoryFiles(
            {
                **LOG,
                "metadata": "m",
                "identity.json": stored.model_dump_json(),
                "generations/1.json": generation(1, 0).model_dump_json(),
            }
        )
        Seal(self.files, "identity.json", [generation(1, 0)]).put(1)
        self.bucket = Bucket()
        self.first = {0: 0, 1: 0, 2: 0}  # partition -> offset of its first record
        self.said: list[str] = []

    def earliest(self) -> dict[int, int]:
        return self.first

    def partitions(self) -> list[int]:
        return list(self.first)

    def committed(self) -> dict[int, int]:
        return {}

    def records_in_a_batch(self, _: object) -> int:
        return 1_000

    def opened(self, rules: RuleSet | None = None, options: Options | None = None) -> Opening:
        topic: Any = self
        return open_up(
            self.files,
            "/checkpoint/c",
            ("c", "t"),
            Settings(),
            rules or load_rules(DEFAULT_RULES),
            options or Options(),
            topic,
            AlertsSink(self.bucket.under("")),
            MetricsSink(self.bucket.under("")),
            self.said.append,
        )

    def is_taken(self) -> bool:
        """Whether this start has the lease now."""
        return "lease.json" in self.files.files


def test_an_unchanged_checkpoint_is_gone_on_with_where_it_was() -> None:
    world = World()
    opening = world.opened()
    assert (opening.last_planned, opening.committed and opening.committed.batch_id) == (1, 0)
    assert opening.generations == [generation(1, 0)]
    assert world.said == []
    assert world.is_taken()


def test_other_rules_decide_behind_what_is_planned_and_not_what_is_replayed(tmp_path: Path) -> None:
    text = DEFAULT_RULES.read_text("utf-8").replace("version = 1", "version = 2")
    path = tmp_path / "rules.toml"
    path.write_text(text.replace("threshold = 1000.00", "threshold = 50.00"), "utf-8")
    world = World()
    first, second = world.opened(load_rules(path)).generations
    assert first == generation(1, 0)
    assert (second.number, second.first_batch_id) == (2, 2)
    assert "generation 2 decides from micro-batch 2 on" in world.said[0]


def test_records_that_went_before_they_were_judged_end_the_start_unless_the_loss_is_accepted() -> None:
    world = World()
    world.first = {0: 10, 1: 5, 2: 0}  # of partition 0 exactly what was judged
    gone = "partition 1: offsets 3 to 4 have gone from the topic before they were read"
    with pytest.raises(JobError, match=gone) as ended:
        world.opened()
    assert ended.value.exit_code == 1
    assert "partition 0" not in str(ended.value)
    world.opened(options=Options(accept_loss=True))
    assert len(world.said) == 1
    assert gone in world.said[0]


def test_a_damaged_checkpoint_is_not_even_taken() -> None:
    world = World()
    world.files.files["offsets/1"] = world.files.files["offsets/1"].replace('"2": 4', '"2": 3')
    with pytest.raises(SettingsError, match="offsets/1 is damaged"):
        world.opened()
    assert not world.is_taken()


def test_an_older_copy_is_not_even_taken() -> None:
    world = World()
    world.bucket.objects[alerts_key(OWN, 2, 3_000)] = (b"", {})
    with pytest.raises(SettingsError, match="older copy"):
        world.opened()
    assert not world.is_taken()
