"""What happens around a checkpoint: a second job, more partitions, records that vanish, a new checkpoint."""

import random
import signal
import time
from collections.abc import Iterator

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient  # type: ignore[attr-defined]  # not in its __init__

from tests.faults.damage import refusal
from tests.faults.judgement import Verdict, judged
from tests.integration.lane import DEADLINE, Lane

MINUTE = 60_000
PARTITIONS, MORE = 4, 6


def changing_surroundings(lane: Lane, seed: int) -> Verdict:
    """One life of a topic: each event has its message, and what is read is judged exactly."""
    source, now = random.Random(seed), time.time_ns() // 1_000_000
    topic = lane.settings.kafka.transactions_topic
    admin = AdminClient(lane.settings.kafka.librdkafka())

    lane.produce(_payments(source, "first", now - 50 * MINUTE, range(PARTITIONS)))
    one = lane.start_job()
    lane.wait_until_caught_up(one)

    # a second job on the same checkpoint: the one that started last goes on
    two = lane.start_job()
    lane.wait(two, "start of the second job", lambda: "ready:" in two.text())
    lane.produce(_payments(source, "second", now - 40 * MINUTE, range(PARTITIONS)))
    assert one.process.wait(DEADLINE) == 1, one.text()
    assert "another job took over this checkpoint" in one.text(), one.text()
    lane.wait_until_caught_up(two)

    # more partitions while it runs: new users may lie there
    grown = lane.run("jobs.init", "--grow-to", str(MORE))
    assert f"topic {topic}: has {MORE} partitions (it had {PARTITIONS})" in grown.stdout, grown.stderr
    added = range(PARTITIONS, MORE)
    lane.wait(two, "new partitions", lambda: len(admin.list_topics(topic).topics[topic].partitions) == MORE)
    lane.produce(_payments(source, "third", now - 30 * MINUTE, added))
    lane.wait_until_caught_up(two)
    assert two.end(signal.SIGTERM) == 0, two.text()

    # records that vanish while it is down
    lane.produce(_payments(source, "vanishing", now - 20 * MINUTE, [1, 4]))
    everything = lane.sent()
    ends = {each: max(r.offset for r in everything if r.partition == each) + 1 for each in (1, 4)}
    vanished = {r for r in everything if r.value and b'"vanishing-' in r.value}
    first = {each: min(r.offset for r in vanished if r.partition == each) for each in (1, 4)}
    gone = [TopicPartition(topic, each, end) for each, end in ends.items()]
    for result in admin.delete_records(gone).values():
        result.result(DEADLINE)
    # beside it a new checkpoint over its alerts: neither may begin
    new = {"FRAUD_CHECKPOINT": f"{lane.settings.detection.checkpoint}-new"}
    goes_on, begins = lane.start_job(), lane.start_job(**new)
    said = refusal(goes_on, code=1)
    for each in (1, 4):
        assert f"partition {each}: offsets {first[each]} to {ends[each] - 1} have gone" in said, said
    assert "--accept-loss" in said, said
    said = refusal(begins)
    assert "there are alerts of another one" in said, said
    assert "--take-over keep" in said, said
    lane.produce(_payments(source, "fourth", now - 10 * MINUTE, range(MORE)))
    three = lane.start_job("--accept-loss")
    lane.wait_until_caught_up(three)
    assert three.end(signal.SIGTERM) == 0, three.text()

    lane.produce(_payments(source, "fifth", now, range(MORE)))
    four = lane.start_job("--take-over", "keep", **new)
    lane.wait_until_caught_up(four)
    assert four.end(signal.SIGTERM) == 0, four.text()

    left = {(r.partition, r.offset): r for r in (*everything, *lane.sent()) if r not in vanished}
    return judged(lane, sent=list(left.values()), lost=len(vanished))


def _payments(
    source: random.Random, name: str, end: int, partitions: range | list[int]
) -> Iterator[tuple[int, bytes, bytes]]:
    """Of three minutes before `end`, each name's by users of its own: what one of them needs of another's
    time cannot be in a memory that a new checkpoint does not have."""
    for number in range(2_000):
        partition = partitions[number % len(partitions)]
        user = f"{name}-{partition}-{source.randrange(20)}"
        value = (
            f'{{"transaction_id":"{name}-{number}","user_id":"{user}","amount":{source.randrange(1, 1200)},'
            f'"currency":"EUR","location":"{source.choice(["Oslo", "Oslo", "Oslo", "Paris"])}",'
            f'"timestamp":{end - 3 * MINUTE + number * 90}}}'
        )
        yield partition, user.encode(), value.encode()
