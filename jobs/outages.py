"""Of an error of Kafka or the object store: whether it may pass by itself, and what a person should know."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from confluent_kafka import KafkaError, KafkaException

from fraud.settings import KafkaSettings, ObjectStoreSettings

STORE_ERRORS = (BotoCoreError, ClientError)
"""All that boto3 raises."""

_NO_CONNECTION = (HTTPClientError, NoConnectionError, CredentialRetrievalError, MetadataRetrievalError)
_PASSING_CODES = {"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "Throttling"}
_NOT_ALLOWED = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
_REFUSED = _NOT_ALLOWED | {KafkaError.INVALID_CONFIG, KafkaError.POLICY_VIOLATION}
_SILENT = {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT}


def passes(error: BaseException) -> bool:
    """Whether it is an error of Kafka or the object store that may be gone the next time; a refusal, a
    missing bucket or missing credentials are somebody's mistake and stay."""
    if isinstance(error, KafkaException):
        return not refused(error.args[0])
    if isinstance(error, ClientError):
        status = _status(error)
        return status >= 500 or status == 429 or error.response["Error"]["Code"] in _PASSING_CODES
    return isinstance(error, _NO_CONNECTION)


def refused(error: KafkaError) -> bool:
    """Whether Kafka will say the same each time."""
    return error.code() in _REFUSED


def about_kafka(error: KafkaException, kafka: KafkaSettings) -> str:
    """`error` in one sentence that says where, and what to look at."""
    cause: KafkaError = error.args[0]
    where = f"Kafka at {kafka.bootstrap_servers}"
    if cause.code() in _NOT_ALLOWED:
        return (
            f"{where} refuses: {cause.str()}; check FRAUD_KAFKA_SASL_USERNAME and "
            "FRAUD_KAFKA_SASL_PASSWORD, and what that user may do"
        )
    if refused(cause):
        return f"{where} refuses: {cause.str()}"
    if cause.code() in _SILENT:
        return f"{where} does not answer ({cause.str()})"
    return f"{where}: {cause.str()}"


def about_store(error: Exception, store: ObjectStoreSettings) -> str:
    """One of STORE_ERRORS in one sentence that says where, and what to look at."""
    where = f"bucket {store.bucket} at {store.endpoint_url or 'S3'}"
    if isinstance(error, _NO_CONNECTION):
        return f"{where} does not answer ({error})"
    if passes(error):
        return f"{where}: {error}"
    if isinstance(error, ClientError) and _status(error) == 404:
        return f"{where} is not there: `python -m jobs.init` makes it, FRAUD_S3_BUCKET names another"
    return (
        f"{where}: {error}; check FRAUD_S3_BUCKET, and the credentials: FRAUD_S3_ACCESS_KEY_ID and "
        "FRAUD_S3_SECRET_ACCESS_KEY, or without them those of the AWS SDK's own chain"
    )


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
