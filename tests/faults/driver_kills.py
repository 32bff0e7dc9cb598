"""Drill 1: `kill -9` of the Spark driver at each border that a micro-batch crosses, and at random moments."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.ground import Ground
from tests.faults.kafka_proxy import unhindered
from tests.faults.moment import Moment, NotExercised
from tests.faults.s3_proxy import Reply, Request, Upstream, unchanged

LONGEST = 10.0
"""Seconds after its start up to which a job is killed at random: start-up, replay and new micro-batches."""

_TRIES = 5


def between_parquet_and_kafka(ground: Ground) -> None:
    """The alerts are on S3; nothing of the micro-batch is in Kafka."""
    moment = Moment("the alerts are written, the reply to their PUT is held")
    with held_reply(ground, "PUT", "alerts/", moment):
        kill_at(ground, moment)
    _has_not_committed(ground, moment.what)


def between_kafka_and_metrics(ground: Ground) -> None:
    """Kafka has something of what the micro-batch sends, and the job does not know."""
    moment = Moment("a produce request is answered, the answer held")
    run_a_little(ground)

    def hold() -> bool:
        moment.arrive()
        return True

    ground.servers.kafka.on_produced = hold
    try:
        kill_at(ground, moment)
    finally:
        ground.servers.kafka.on_produced = unhindered
        moment.let_go()
    _has_not_committed(ground, moment.what)


def before_the_commit(ground: Ground) -> None:
    """Everything is written, metrics too, and Spark does not know that the micro-batch is done."""
    moment = Moment("the metrics are written, the reply to their PUT is held")
    with held_reply(ground, "PUT", "metrics/", moment):
        kill_at(ground, moment)
    _has_not_committed(ground, moment.what)


def during_the_state_commit(ground: Ground) -> None:
    """A file of the micro-batch's state is there or in the making, and the micro-batch is not committed."""
    for _ in range(_TRIES):
        run_a_little(ground)
        next_one = ground.checkpoint.state_begun() + 1
        ground.until("file of state", partial(_is_begun, ground, next_one))
        ground.kill_job()
        if ground.checkpoint.committed() < ground.checkpoint.state_begun():
            ground.injected("driver killed: state is being committed")
            return
    raise NotExercised(f"the state was committed before the kill, {_TRIES} times")


def during_start_up(ground: Ground) -> None:
    """Spark is up, the checkpoint not opened yet."""
    moment = Moment("the job looks for its bucket")
    with held_reply(ground, "HEAD", "", moment):
        kill_at(ground, moment)
    if "ready:" in ground.job.text():
        raise NotExercised(f"{moment.what}: it was ready before")


def _is_begun(ground: Ground, micro_batch: int) -> bool:
    return ground.checkpoint.state_begun() >= micro_batch


def at_random(ground: Ground, *, jvm_too: bool = True) -> None:
    """At any moment; without `jvm_too` the driver's Python process alone, whose JVM has to notice."""
    if not ground.is_running:
        ground.start_job()
    seconds = ground.random.uniform(1, LONGEST)
    time.sleep(seconds)
    ground.kill_job(jvm_too=jvm_too)
    whom = "driver" if jvm_too else "driver's Python process"
    ground.injected(f"{whom} killed: {seconds:.2f} s after its start")


MOMENTS: list[Callable[[Ground], None]] = [
    during_start_up,
    between_parquet_and_kafka,
    between_kafka_and_metrics,
    before_the_commit,
    during_the_state_commit,
]


def kill_drivers(ground: Ground, at_random_times: int) -> None:
    """A kill at each moment, in random order, and so many at random; one of these leaves the JVM alone. No
    job runs afterwards."""
    for kill in ground.random.sample(MOMENTS, len(MOMENTS)):
        kill(ground)
    alone = ground.random.randrange(at_random_times)
    for number in range(at_random_times):
        at_random(ground, jvm_too=number != alone)


@contextmanager
def held_reply(ground: Ground, method: str, folder: str, moment: Moment) -> Iterator[None]:
    """A little later the proxy holds, at `moment`, the reply to a request for a key in `folder` that went
    well."""
    store = ground.lane.settings.object_store
    path = f"/{store.bucket}/{store.prefix}{folder}" if folder else f"/{store.bucket}"

    def hold(request: Request, upstream: Upstream) -> Reply:
        reply = upstream.forward(request)
        if request.method == method and request.path.startswith(path) and reply.status < 300:
            moment.arrive()
        return reply

    if folder:
        run_a_little(ground)
    ground.servers.s3.behaviour = hold
    try:
        yield
    finally:
        ground.servers.s3.behaviour = unchanged
        moment.let_go()


def run_a_little(ground: Ground) -> None:
    """The job runs; sometimes it replays a micro-batch next, sometimes it plans a new one."""
    if not ground.is_running:
        ground.start_job()
    if ground.random.random() < 0.5:
        ground.until_committed(ground.random.randint(1, 2))


def kill_at(ground: Ground, moment: Moment) -> None:
    """Kill the driver, with all that it started, as soon as somebody is held at `moment`."""
    if not ground.is_running:
        ground.start_job()
    ground.until_reached(moment)
    ground.kill_job()
    ground.injected(f"driver killed: {moment.what}")


def _has_not_committed(ground: Ground, moment: str) -> None:
    if ground.checkpoint.planned() <= ground.checkpoint.committed():
        raise NotExercised(f"{moment}: but the micro-batch is committed")
