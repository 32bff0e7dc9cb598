"""What the three topics must be, and what of an existing one is to be corrected. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fraud.settings import KafkaSettings

DAY = 86_400_000
OUTPUT_PARTITIONS = 4
MAX_REJECTED_MESSAGE = 2 * 1024 * 1024


@dataclass(frozen=True)
class TopicContract:
    """What a topic must be: `exact` settings are set, `at_least` ones are only ever raised (-1: no limit)."""

    name: str
    partitions: int
    exact: Mapping[str, str]
    at_least: Mapping[str, int] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """The settings that a new topic gets."""
        return {**self.exact, **{name: str(value) for name, value in self.at_least.items()}}

    def corrections(self, actual: Mapping[str, str]) -> dict[str, str]:
        """Of an existing topic with the settings `actual`: those to change, with their new value."""
        wrong = {name: value for name, value in self.exact.items() if _words(actual[name]) != _words(value)}
        low = {
            name: str(value)
            for name, value in self.at_least.items()
            if int(actual[name]) != -1 and (value == -1 or int(actual[name]) < value)
        }
        return wrong | low


def source_contract(kafka: KafkaSettings) -> TopicContract:
    """The topic `transactions`."""
    return TopicContract(
        kafka.transactions_topic,
        kafka.partitions,
        # LogAppendTime: `timestamp_in_future` is judged by the broker's clock, not the producer's.
        {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"},
    )


def output_contracts(kafka: KafkaSettings, transactions_retention: int) -> list[TopicContract]:
    """Alerts and rejected records; they outlive `transactions`, which is kept `transactions_retention` ms."""
    outlive = -1 if transactions_retention == -1 else max(30 * DAY, transactions_retention + 7 * DAY)
    return [
        TopicContract(
            kafka.alerts_topic,
            OUTPUT_PARTITIONS,
            {"cleanup.policy": "compact,delete", "message.timestamp.type": "LogAppendTime"},
            {"retention.ms": outlive},
        ),
        TopicContract(
            kafka.rejected_topic,
            OUTPUT_PARTITIONS,
            {"cleanup.policy": "delete"},
            {"retention.ms": outlive, "max.message.bytes": MAX_REJECTED_MESSAGE},
        ),
    ]


def _words(value: str) -> set[str]:
    return set(value.split(","))
