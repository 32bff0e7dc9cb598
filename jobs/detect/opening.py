"""What a start finds in the checkpoint, the topic and the bucket, and where the query goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from fraud.generations import Generation
from fraud.rules import RuleSet
from fraud.settings import Settings
from jobs.detect.alerts_sink import AlertsSink
from jobs.detect.identity import NAME as IDENTITY
from jobs.detect.identity import Identity
from jobs.detect.lease import Lease
from jobs.detect.metrics import MetricsSink
from jobs.detect.offsets import Files, PlannedBatch, last_committed, last_planned
from jobs.detect.resumption import check_for_loss, stored_generations
from jobs.detect.seal import Seal, check_seal
from jobs.detect.take_over import TakeOver, open_checkpoint, unread_from
from jobs.detect.topic import Topic


@dataclass(frozen=True)
class Options:
    """What the command line says beside the settings."""

    take_over: TakeOver | None = None
    accept_loss: bool = False
    since: int | None = None  # epoch milliseconds, of Kafka's time


@dataclass(frozen=True)
class Opening:
    """A checkpoint that is ours to go on with."""

    identity: Identity
    lease: Lease
    seal: Seal
    generations: list[Generation]
    last_planned: int  # the newest micro-batch planned before; NO_BATCH for none
    committed: PlannedBatch | None  # the newest that needs no replay
    records_in_a_batch: int


def open_up(
    files: Files,
    where: str,
    ids: tuple[str, str],
    settings: Settings,
    rules: RuleSet,
    options: Options,
    topic: Topic,
    alerts: AlertsSink,
    metrics: MetricsSink,
    say: Callable[[str], None],
) -> Opening:
    """Open or make the checkpoint `where` for the topic with these `ids` (cluster, topic); take its lease.

    Can be repeated when Kafka, the object store or the checkpoint's file system was away. Raises
    SettingsError when the job may not go on here, JobError when records have gone before they were read.
    """
    detection = settings.detection
    wanted = Identity.new(
        cluster_id=ids[0],
        topic=topic.name,
        topic_id=ids[1],
        buckets=detection.buckets,
        shuffle_partitions=detection.shuffle_partitions,
    )
    since = options.since
    check_seal(files, where)
    identity = open_checkpoint(
        files,
        where,
        wanted,
        options.take_over,
        alerts,
        metrics,
        since is not None,
        lambda: (topic.partitions(), topic.committed() if since is None else topic.since(since)),
        say,
    )
    committed = last_committed(files)
    lease = Lease(files)
    last = last_planned(files)
    generations = stored_generations(files, rules, settings, last + 1, say)
    seal = Seal(files, IDENTITY, generations)
    unread = unread_from(identity, committed)
    check_for_loss(unread, topic.earliest(), options.accept_loss, say)
    limit = detection.max_offsets_per_trigger or topic.records_in_a_batch(unread)
    return Opening(identity, lease, seal, generations, last, committed, limit)
