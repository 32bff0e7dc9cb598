"""One micro-batch on the driver: what it writes, in which order, and the lease that it asks for before."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from jobs.detect.alerts_sink import AlertsSink
from jobs.detect.batch import Batches
from jobs.detect.errors import JobError
from jobs.detect.identity import NAME as IDENTITY
from jobs.detect.kafka_sink import Outgoing
from jobs.detect.metrics import MetricsSink
from jobs.detect.offsets import planned_batch
from jobs.detect.outcomes import ALERTS_KIND, REJECTED_KIND, REPORT_KIND, Report, pack
from jobs.detect.seal import Seal
from tests.bucket import Bucket
from tests.unit.test_jobs_accounting import LOG, InMemoryFiles
from tests.unit.test_jobs_outcomes import all_rejected, records, rejects
from tests.unit.test_jobs_seal import generation
from tests.unit.test_jobs_sinks import alert, table

BATCH = 1  # of LOG: read up to 12 in partition 0, and from 0 to 4 in partition 2
ALERTS = "alerts/date=1970-01-01/hour=00/batch=0000000a-000000000001.parquet"


class World:
    """What the micro-batch writes to; `done` has its steps, `looks` how often it may look at the lease."""

    def __init__(self, *, found: bool = True, last_planned: int = -1, looks: int = 100) -> None:
        self.done: list[str] = []
        self.looks = looks
        self.found = found
        self.files = Noting({**LOG, IDENTITY: "i", "metadata": "m"}, self.done.append)
        bucket = NotingBucket(self.done.append)
        around: Any = SimpleNamespace(
            settings=SimpleNamespace(
                kafka=SimpleNamespace(
                    alerts_topic="fraud-alerts",
                    rejected_topic="transactions-rejected",
                    transactions_topic="transactions",
                )
            ),
            checkpoint_id="0000000a",
            generations=[generation(1, 0)],
            last_planned=last_planned,
            accept_loss=False,
            files=self.files,
            topic=SimpleNamespace(ask=lambda *_: dict, read=None),  # Kafka says nothing of its offsets
            alerts=AlertsSink(bucket.under("")),
            kafka=SimpleNamespace(send=self.send),
            metrics=MetricsSink(bucket.under("")),
            lease=SimpleNamespace(check=self.check),
            seal=Seal(self.files, IDENTITY),
            retries=SimpleNamespace(call=lambda _, attempt: attempt()),
            console=SimpleNamespace(summarize=lambda _: None),
            stopping=SimpleNamespace(is_set=lambda: False),
        )
        self.batches = Batches(around, None)

    def check(self) -> None:
        self.done.append("lease")
        if self.done.count("lease") > self.looks:
            raise JobError("another job took over")

    def send(self, outgoing: Iterable[Outgoing], still_allowed: Callable[[], None]) -> None:
        still_allowed()
        self.done += [f"to {record.topic}" for record in outgoing]

    def toArrow(self) -> pa.Table:  # noqa: N802  (it stands in for Spark's frame)
        """What the operator found in six records, one of them rejected."""
        counts = [(0, "evaluated", 2), (2, "evaluated", 3), (2, "not_json", 1)]
        report = Report(0, BATCH, 2_000, counts, {}, 0)
        rows = [(0, REJECTED_KIND, piece) for piece in pack(rejects(records(b"x"), all_rejected(1)))]
        rows += [(0, ALERTS_KIND, piece) for piece in pack(table(alert())) if self.found]
        rows.append((0, REPORT_KIND, report.to_bytes()))
        columns = [pa.array(column) for column in zip(*rows, strict=True)]
        return pa.table(columns, names=["bucket", "kind", "payload"])

    def write(self) -> list[str]:
        """Write the micro-batch; the steps."""
        self.batches(self, BATCH)  # type: ignore[arg-type]
        return self.done


class Noting(InMemoryFiles):
    def __init__(self, files: dict[str, str], note: Callable[[str], None]) -> None:
        super().__init__(files)
        self.note = note

    def write(self, name: str, text: str) -> None:
        self.note(name)
        super().write(name, text)


class NotingBucket(Bucket):
    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self.note = note

    def put_object(self, *, Key: str, **more: Any) -> None:  # noqa: N803  (boto3 names it)
        self.note(Key)
        super().put_object(Key=Key, **more)

    def delete_object(self, *, Key: str, **more: Any) -> None:  # noqa: N803
        self.note(f"delete {Key}")
        super().delete_object(Key=Key, **more)


STEPS = [
    ["lease", "seal.json", ALERTS],  # one look for both: it is a request where the checkpoint is on S3
    ["lease", "to fraud-alerts"],
    ["lease", "to transactions-rejected"],
    ["lease", "metrics/date=1970-01-01/minute=0000.parquet"],
]


def test_a_micro_batch_seals_then_writes_parquet_then_kafka_then_metrics() -> None:
    world = World()
    assert world.write() == [step for steps in STEPS for step in steps]
    assert world.batches.finished == planned_batch(world.files, BATCH)


@pytest.mark.parametrize("looks", range(len(STEPS)))
def test_a_job_that_has_lost_the_lease_writes_nothing_more(looks: int) -> None:
    world = World(looks=looks)
    with pytest.raises(JobError, match="took over"):
        world.write()
    assert world.done == [step for steps in STEPS[:looks] for step in steps] + ["lease"]
    assert world.batches.finished is None


@pytest.mark.parametrize(
    ("last_planned", "steps"),
    [
        (BATCH - 1, ["lease", "seal.json"]),
        (BATCH, ["lease", "seal.json", f"delete {ALERTS}"]),  # an earlier attempt may have found something
    ],
)
def test_a_micro_batch_without_alerts_leaves_no_object_of_them(last_planned: int, steps: list[str]) -> None:
    done = World(found=False, last_planned=last_planned).write()
    assert done[: len(steps)] == steps
    assert ALERTS not in done
