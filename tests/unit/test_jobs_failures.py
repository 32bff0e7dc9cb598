"""What passes by itself and what is a mistake, for both jobs; and how each of them ends."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from confluent_kafka import KafkaError, KafkaException
from py4j.protocol import Py4JError, Py4JNetworkError
from pyspark.errors import PySparkException

from fraud.settings import Settings
from jobs.detect.errors import TopicMissing
from jobs.detect.failures import explain, is_passing, jvm_ended
from jobs.outages import about_store


def client_error(status: int, code: str = "") -> ClientError:
    answer = {"Error": {"Code": code or str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")  # type: ignore[arg-type]


def kafka_error(code: int) -> KafkaException:
    return KafkaException(KafkaError(code))


PASSING = [
    client_error(500),
    client_error(503, "SlowDown"),
    client_error(429),
    client_error(400, "RequestTimeout"),
    EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    kafka_error(KafkaError._TRANSPORT),
    kafka_error(KafkaError._TIMED_OUT),
    kafka_error(KafkaError.NOT_LEADER_FOR_PARTITION),
]


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_what_passes_by_itself_is_tried_again_and_ends_with_code_75(error: Exception) -> None:
    assert is_passing(error)
    assert explain(error, Settings()).exit_code == 75


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (client_error(403, "InvalidAccessKeyId"), "FRAUD_S3_SECRET_ACCESS_KEY"),
        (client_error(403), "bucket fraud"),
        (client_error(404), "FRAUD_S3_BUCKET"),
        (NoCredentialsError(), "FRAUD_S3_ACCESS_KEY_ID"),
        (kafka_error(KafkaError._AUTHENTICATION), "FRAUD_KAFKA_SASL_PASSWORD"),
        (kafka_error(KafkaError.SASL_AUTHENTICATION_FAILED), "FRAUD_KAFKA_SASL_USERNAME"),
        (kafka_error(KafkaError.TOPIC_AUTHORIZATION_FAILED), "127.0.0.1:9092 refuses"),
    ],
    ids=str,
)
def test_a_mistake_is_not_tried_again_and_ends_with_code_2_and_what_to_look_at(
    error: Exception, named: str
) -> None:
    assert not is_passing(error)
    end = explain(error, Settings())
    assert end.exit_code == 2
    assert named in str(end)
    assert "\n" not in str(end)


def test_a_topic_that_is_not_there_yet_is_waited_for() -> None:
    assert is_passing(TopicMissing("x"))


def test_the_checkpoints_file_system_may_be_away_too() -> None:
    away = "software.amazon.awssdk.core.exception.SdkClientException: Unable to execute HTTP request"
    assert is_passing(PySparkException(away))
    assert not is_passing(PySparkException("java.lang.NullPointerException"))


def wrapped(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    "error",
    [
        Py4JNetworkError("Answer from Java side is empty"),
        ConnectionRefusedError(111, "Connection refused"),
        wrapped(Py4JError("An error occurred while calling o1.isActive"), Py4JNetworkError("empty")),
        Py4JError("An error occurred while calling o236.isActive"),
        EOFError(),
    ],
    ids=str,
)
def test_a_jvm_that_ended_is_said_so_and_ends_with_code_75(error: Exception) -> None:
    assert jvm_ended(error)
    end = explain(error, Settings())
    assert end.exit_code == 75
    assert str(end).startswith("Spark's JVM ended (out of memory?)")


def test_what_the_jvm_says_itself_it_says_alive() -> None:
    assert not jvm_ended(wrapped(PySparkException("a task failed"), EOFError()))
    refused = wrapped(EndpointConnectionError(endpoint_url="http://x"), ConnectionRefusedError(111, "no"))
    assert not jvm_ended(refused)
    assert not jvm_ended(ValueError("odd"))
    assert not jvm_ended(Py4JError("An error occurred while calling o1.x. Trace:\npy4j.Py4JException: no x"))


def test_no_secret_is_named() -> None:
    store = Settings().object_store.model_copy(update={"access_key_id": "visible", "bucket": "b"})
    assert "bucket b" in about_store(BotoCoreError(), store)
    assert "visible" not in about_store(BotoCoreError(), store)
