"""What `jobs.init` makes of topics that are there already."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from fraud.settings import KafkaSettings, ObjectStoreSettings
from jobs.init import NotYetError, ensure_bucket, ensure_topics
from jobs.topics import DAY, TopicContract, output_contracts, source_contract

retentions = st.just(-1) | st.integers(1, 400 * DAY)


def by_name(retention: int = 7 * DAY) -> dict[str, TopicContract]:
    kafka = KafkaSettings()
    return {topic.name: topic for topic in (source_contract(kafka), *output_contracts(kafka, retention))}


def test_the_three_topics_have_the_settings_of_the_contract() -> None:
    topics = by_name()
    assert topics["transactions"].settings() == {
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
    }
    assert topics["transactions"].partitions == 4
    assert topics["fraud-alerts"].settings()["cleanup.policy"] == "compact,delete"
    assert topics["fraud-alerts"].settings()["message.timestamp.type"] == "LogAppendTime"
    assert topics["transactions-rejected"].settings()["max.message.bytes"] == "2097152"


@given(retentions)
def test_alerts_and_rejected_records_outlive_the_transactions(retention: int) -> None:
    for name in ("fraud-alerts", "transactions-rejected"):
        kept = by_name(retention)[name].at_least["retention.ms"]
        assert kept == -1 if retention == -1 else kept > retention


@given(retentions, retentions)
def test_a_new_or_corrected_topic_needs_no_correction(retention: int, other: int) -> None:
    for topic in by_name(retention).values():
        actual = topic.settings() | {"retention.ms": str(other)}
        assert topic.corrections(topic.settings()) == {}
        assert topic.corrections(actual | topic.corrections(actual)) == {}


def test_a_longer_retention_of_the_user_s_is_kept_and_a_shorter_one_raised() -> None:
    alerts = by_name()["fraud-alerts"]
    assert alerts.corrections(alerts.settings() | {"retention.ms": "-1"}) == {}
    assert alerts.corrections(alerts.settings() | {"retention.ms": str(90 * DAY)}) == {}
    assert alerts.corrections(alerts.settings() | {"retention.ms": "1000"}) == {"retention.ms": str(30 * DAY)}


def test_a_topic_on_producer_s_time_or_without_compaction_is_corrected() -> None:
    topics = by_name()
    transactions, alerts = topics["transactions"], topics["fraud-alerts"]
    wrong = transactions.settings() | {"message.timestamp.type": "CreateTime"}
    assert transactions.corrections(wrong) == {"message.timestamp.type": "LogAppendTime"}
    assert alerts.corrections(alerts.settings() | {"cleanup.policy": "delete"}) == {
        "cleanup.policy": "compact,delete"
    }
    assert alerts.corrections(alerts.settings() | {"cleanup.policy": "delete,compact"}) == {}


def test_servers_that_do_not_listen_yet_are_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    store = ObjectStoreSettings(
        endpoint_url=f"http://127.0.0.1:{port}", access_key_id="key", secret_access_key=SecretStr("secret")
    )
    with pytest.raises(NotYetError, match=f"127.0.0.1:{port} does not answer"):
        ensure_bucket(store, print)
    with pytest.raises(NotYetError, match=f"Kafka at 127.0.0.1:{port} does not answer"):
        ensure_topics(KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}"), print)
