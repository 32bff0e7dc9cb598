"""A load that lies in a topic before anybody starts, and what its alerts must be."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from local.native.findings import explained, read_topic
from local.native.stack import Stack
from scripts.bench.contest.load import Load, generate, last_alerts, last_records
from scripts.bench.contest.measures import Pair
from scripts.bench.contest.topic import Sender, make_topic, send_all
from scripts.oracle import DEFAULT_RULES, Conditions, expect, read_rules


@dataclass(frozen=True)
class Backlog:
    """A topic full of payments."""

    topic: str
    partitions: int
    load: Load
    records: int
    """With those sent twice and the last ones."""
    positions: dict[str, tuple[int, int]]
    """Partition and offset of each transaction, the first time it was sent."""
    expected: set[Pair]

    def end_of(self, rules: tuple[str, ...]) -> set[Pair]:
        """The alerts after which a contestant with these rules has come to the end."""
        return {pair for pair in last_alerts(self.partitions) if pair[0] in rules}


def send_backlog(
    stack: Stack,
    name: str,
    load: Load,
    say: Callable[[str], None],
    partitions: int = 4,
    *,
    judge: bool = True,
) -> Backlog:
    """Generate, send, read back and judge a load. Raises UnreadableError, StoppedError, GaveUpError.

    Without `judge` nobody asks which alerts are right: a day of payments is more than the oracle can hold.
    """
    topic = f"{name}.transactions"
    say(f"{name}: sending {load.events:,} payments of {load.users:,} users ...")

    def work() -> Backlog:
        kafka = stack.settings.kafka
        with explained(f"{name}: the load could not be sent"):
            make_topic(kafka, topic, partitions)
            payments = generate(load)
            records = len(payments.user)
            with Sender(kafka, topic) as sender:
                send_all(sender, payments.records(), records, say)
            with Sender(kafka, topic) as sender:
                for partition, key, value in last_records(load, partitions):
                    sender.send(key, value, partition)
                    records += 1
        empty = Backlog(topic, partitions, load, records, {}, set())
        return _judged(stack, empty, say) if judge else empty

    return stack.supervisor.during(work)


def _judged(stack: Stack, backlog: Backlog, say: Callable[[str], None]) -> Backlog:
    say(f"  asking the oracle (about {backlog.records // 20_000} s) ...")
    with explained("the load cannot be read back"):
        sent = [record.sent for record in read_topic(stack.settings.kafka, backlog.topic)]
    for record in sent:
        transaction_id = orjson.loads(record.value or b"")["transaction_id"]
        backlog.positions.setdefault(transaction_id, (record.partition, record.offset))
    alerts = expect(sent, Conditions(read_rules(DEFAULT_RULES))).alerts
    backlog.expected.update((pair.rule_id, pair.transaction_id) for pair in alerts)
    return backlog
