"""Drills 3 and 4: Kafka and S3 go away, come back, are slow, answer with errors, or break off."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.ground import Ground
from tests.faults.kafka_proxy import unhindered
from tests.faults.s3_proxy import Behaviour, Reply, Request, Upstream, unchanged

# --- Kafka -------------------------------------------------------------------------------------------------


def stop_broker(ground: Ground, seconds: float) -> None:
    """The broker stops in order and starts again; meanwhile nobody answers."""
    stack = ground.servers.stack
    stack.supervisor.stop("broker")
    ground.injected(f"broker stopped for {seconds:.1f} s")
    time.sleep(seconds)
    stack.start_broker(ground.servers.node)
    ground.until_committed(2)


def kill_broker(ground: Ground) -> None:
    """`kill -9` of the broker; the stack's supervisor starts it again."""
    supervisor = ground.servers.stack.supervisor
    pid = supervisor.pid("broker")
    os.kill(pid, signal.SIGKILL)
    ground.injected("broker killed")

    def is_restarted() -> bool:
        supervisor.look_after()
        return supervisor.pid("broker") != pid

    ground.until("restart of the broker", is_restarted)
    ground.until_committed(2)


def drop_answers(ground: Ground, times: int) -> None:
    """The broker takes what the job sends, and the connection breaks before the job knows."""
    left = times

    def drop() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    ground.servers.kafka.on_produced = drop
    try:
        ground.until("dropped answers", lambda: left < 0)
        ground.injected(f"{times} answers of the broker dropped")
        ground.until_committed(1)
    finally:
        ground.servers.kafka.on_produced = unhindered


# --- S3 ----------------------------------------------------------------------------------------------------


def stop_store(ground: Ground, seconds: float) -> None:
    """Nobody answers for S3, until the job has said that it tries again, and for `seconds` more."""
    stack = ground.servers.stack
    retries = _retries(ground)
    stack.supervisor.stop("s3")
    ground.until("retry of S3", lambda: _retries(ground) > retries)
    ground.injected(f"S3 server stopped for {seconds:.1f} s more after the job noticed")
    time.sleep(seconds)
    stack.start_object_store()
    ground.until_committed(2)


def slow_store(ground: Ground, seconds: float) -> None:
    """Each request to S3 takes `seconds` longer; the job goes on."""
    slowed = 0

    def slow(request: Request, upstream: Upstream) -> Reply:
        nonlocal slowed
        time.sleep(seconds)
        slowed += 1
        return upstream.forward(request)

    with _store_that(ground, slow):
        ground.until("slow requests", lambda: slowed >= 4)  # alerts and metrics of two micro-batches
        ground.until_committed(1)
    ground.injected(f"{slowed} requests to S3 took {seconds:.1f} s longer")


def store_errors(ground: Ground, share: float, at_least: int) -> None:
    """S3 answers a share of the requests with 503 or 500, so many at least."""
    refused = 0

    def refuse(request: Request, upstream: Upstream) -> Reply:
        nonlocal refused
        if ground.random.random() >= share:
            return upstream.forward(request)
        refused += 1
        status, code = ground.random.choice([(503, "SlowDown"), (500, "InternalError")])
        body = f"<Error><Code>{code}</Code><Message>a drill</Message></Error>".encode()
        return Reply(status, [("Content-Type", "application/xml")], b"" if request.method == "HEAD" else body)

    with _store_that(ground, refuse):
        ground.until("errors of S3", lambda: refused >= at_least)
    ground.injected(f"S3 answered {refused} requests with 503 or 500")
    ground.until_committed(1)


def cut_uploads(ground: Ground, times: int) -> None:
    """So many uploads are cut when half of the body is with the S3 server."""
    cut = 0

    def cut_them(request: Request, upstream: Upstream) -> Reply | None:
        nonlocal cut
        if request.method != "PUT" or cut >= times:
            return upstream.forward(request)
        cut += 1
        upstream.break_off(request)
        return None

    with _store_that(ground, cut_them):
        ground.until("uploads cut", lambda: cut >= times)
        ground.injected(f"{cut} uploads cut in the middle")
        ground.until_committed(1)


@contextmanager
def _store_that(ground: Ground, behaviour: Behaviour) -> Iterator[None]:
    ground.servers.s3.behaviour = behaviour
    try:
        yield
    finally:
        ground.servers.s3.behaviour = unchanged


def _retries(ground: Ground) -> int:
    return ground.job.text().count("failed, trying again")
