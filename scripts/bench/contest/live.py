"""How long a contestant takes from a payment to its alert, at a steady rate."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import orjson

from local.native.findings import explained, read_topic
from local.native.stack import Stack
from scripts.bench.contest.contestants import Contestant
from scripts.bench.contest.load import CITIES, Load, generate, record, user_id
from scripts.bench.contest.measures import percentiles
from scripts.bench.contest.run import ALERT_PARTITIONS, QUIET, Say, lane
from scripts.bench.contest.topic import Answer, Follower, Sender, drop_topic, make_topic

WARM_UP = 20.0
"""Seconds after the first alert that no latency counts."""

START_UP = 120.0
"""Seconds that a contestant may take to its first alert."""

USERS = 6_000


def latencies(
    stack: Stack, contestant: Contestant, rate: int, seconds: float, say: Say
) -> dict[str, int] | None:
    """p50, p95 and p99 in milliseconds, and of how many alerts; None when there was none.

    From the time that the broker gave a payment to the time that it gave the first alert about it. Traffic
    goes on for as long as the contestant holds alerts back by design. Raises as `run_backlog` does.
    """
    name = f"live-{rate}-{contestant.folder or 'pipeline'}"
    topic, kafka = f"{name}.payments", stack.settings.kafka
    with explained(f"{name}: its topic cannot be made"):
        make_topic(kafka, topic, 4)
    with lane(stack, contestant, topic, name, {}, say) as place:
        supervisor = stack.supervisor
        supervisor.start(place.program)
        with Follower(kafka, place.alerts, ALERT_PARTITIONS) as follower, _traffic(stack, topic, rate):

            def look() -> float:
                with explained(f"{name}: its alerts cannot be read"):
                    return follower.look()

            def answers() -> bool:
                look()
                return bool(follower.answers)

            supervisor.wait(answers, "an alert", START_UP, name)
            begin = time.time() + WARM_UP
            over = begin + seconds + contestant.held_back + QUIET
            supervisor.wait(lambda: look() >= 0 and time.time() >= over)
        window = round(begin * 1000), round((begin + seconds) * 1000)
    with explained(f"{name}: its payments cannot be read"):
        sent = {
            orjson.loads(each.sent.value or b"")["transaction_id"]: each.sent.timestamp
            for each in read_topic(kafka, topic)
        }
        drop_topic(kafka, topic)
    waits = waited(follower.answers, sent, window)
    return percentiles(waits) if waits else None


def waited(answers: list[Answer], sent: Mapping[str, int], window: tuple[int, int]) -> list[int]:
    """The milliseconds that each alert took whose payment was sent in the window; of a repeated one the
    first.
    """
    first: dict[tuple[str, str], int] = {}
    for answer in answers:
        pair = answer.rule_id, answer.transaction_id
        first[pair] = min(answer.appended_at, first.get(pair, answer.appended_at))
    return [
        appended_at - sent[transaction_id]
        for (_, transaction_id), appended_at in first.items()
        if window[0] <= sent[transaction_id] < window[1]
    ]


@contextmanager
def _traffic(stack: Stack, topic: str, rate: int) -> Iterator[None]:
    """Payments of now at a steady rate, while it is open. Raises what sending raised."""
    payments = generate(Load(round(rate * 600), USERS, rate).live())
    stop, failures = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            with Sender(stack.settings.kafka, topic) as sender:
                began = time.time()
                columns = (payments.user, payments.cents, payments.city, payments.number)
                rows = zip(*(column.tolist() for column in columns), strict=True)
                for position, (user, cents, city, number) in enumerate(rows):
                    sender.poll()
                    if stop.wait(max(0.0, began + position / rate - time.time())):
                        return
                    now = time.time_ns() // 1_000_000
                    sender.send(*record(user_id(user), now, cents, CITIES[city], f"{number:016x}"))
        except BaseException as error:  # noqa: BLE001  (raised on leaving)
            failures.append(error)

    thread = threading.Thread(target=run, name="traffic", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]
