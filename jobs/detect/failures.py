"""What an exception from Kafka, the object store or deep inside Spark means: wait, go on, or end, and how."""

import re
from collections.abc import Iterator

from confluent_kafka import KafkaException
from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException

from fraud.settings import Settings
from jobs.detect.errors import OUTAGE, SETTINGS, JobError, TopicMissing
from jobs.detect.seal import REMEDY
from jobs.outages import STORE_ERRORS, about_kafka, about_store, passes

OUTSIDE = (KafkaException, *STORE_ERRORS, Py4JError, PySparkException)
"""What Kafka, the object store and the JVM raise; anything else is a fault of this program."""

_FROM_THE_JVM = (Py4JJavaError, PySparkException)
_NO_ANSWER = (Py4JNetworkError, ConnectionError, EOFError)

_PASSING = re.compile(
    r"org\.apache\.kafka\.common\.errors\.(Timeout|Disconnect|Network|NotLeader\w*|LeaderNotAvailable|"
    r"BrokerNotAvailable|CoordinatorNotAvailable|NotEnoughReplicas|UnknownTopicOrPartition)Exception"
    r"|KafkaOffsetReader\w*.*[Tt]imeout|java\.net\.(Connect|SocketTimeout|UnknownHost|NoRouteToHost)Exception"
    r"|software\.amazon\.awssdk\.core\.exception\.SdkClientException"
    r"|org\.apache\.hadoop\.fs\.s3a\.(AWSServiceThrottled|AWSStatus500)Exception"
)
_UNANSWERED = re.compile(r"An error occurred while calling \S+")
_INCOMPATIBLE = re.compile(r"fraud\.memory\.IncompatibleState: (.*)")
_DATA_LOSS = re.compile(
    r"failOnDataLoss|KAFKA_DATA_LOSS|OffsetOutOfRange|may have been lost|offset was changed"
)
_DAMAGED_STATE = re.compile(r"CHECKPOINT_FILE_CHECKSUM_VERIFICATION_FAILED|CANNOT_LOAD_STATE_STORE")
_NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded|File too large")
_PYTHON_ERROR = re.compile(r"^(?:[a-zA-Z_][\w.]*)?(?:Error|Exception|[A-Z]\w+): .*", re.MULTILINE)


def is_passing(error: BaseException) -> bool:
    """Whether the same call may work a moment later: Kafka, the object store (Spark's own way to it
    too) or the topic is not there yet."""
    return (
        passes(error)
        or isinstance(error, TopicMissing)
        or (isinstance(error, _FROM_THE_JVM) and bool(_PASSING.search(str(error))))
    )


def jvm_ended(error: BaseException) -> bool:
    """Whether `error` says that Spark's JVM is no more (what the JVM says itself, it says alive)."""
    if isinstance(error, (KafkaException, *STORE_ERRORS, *_FROM_THE_JVM)):
        return False
    return any(isinstance(each, _NO_ANSWER) or _is_unanswered(each) for each in _chain(error))


def explain(error: BaseException, settings: Settings) -> JobError:
    """The end of the job that `error` means, in one line: what happened, and what to do about it."""
    if isinstance(error, JobError):
        return error
    if isinstance(error, KafkaException):
        return JobError(about_kafka(error, settings.kafka), OUTAGE if passes(error) else SETTINGS)
    if isinstance(error, STORE_ERRORS):
        return JobError(about_store(error, settings.object_store), OUTAGE if passes(error) else SETTINGS)
    if jvm_ended(error):
        return JobError("Spark's JVM ended (out of memory?): start again", OUTAGE)
    text = str(error)
    incompatible = _INCOMPATIBLE.search(text)
    if incompatible:
        return JobError(
            f"the checkpoint's state cannot be read: {incompatible[1].strip()}. Run the release that "
            "wrote it, or set another FRAUD_CHECKPOINT (and --take-over)",
            SETTINGS,
        )
    if _DAMAGED_STATE.search(text):
        return JobError(f"the checkpoint's state is damaged: {_cause(text)}: {REMEDY}", SETTINGS)
    if _NO_SPACE.search(text):
        return JobError(
            f"a disk is full: {_cause(text)}. Make room where FRAUD_CHECKPOINT "
            f"({settings.detection.checkpoint}) and temporary files lie, and start again: nothing is lost"
        )
    if _DATA_LOSS.search(text):
        return JobError(
            f"records have gone from the topic before they were read: {_cause(text)}. --accept-loss goes on "
            "without them"
        )
    if _PASSING.search(text):
        return JobError(f"Spark could not reach Kafka or the object store: {_cause(text)}", OUTAGE)
    return JobError(f"the query failed: {type(error).__name__}: {_cause(text)}")


def one_line(error: BaseException) -> str:
    """An exception as one short line."""
    kafka = error.args[0] if isinstance(error, KafkaException) else None
    text = " ".join((kafka.str() if kafka else str(error)).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."


def _is_unanswered(error: BaseException) -> bool:
    # a call that the JVM refuses has its trace behind this sentence, one that it never answered has not
    return type(error) is Py4JError and bool(_UNANSWERED.fullmatch(str(error)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _cause(text: str) -> str:
    """The innermost cause that a Java or Python trace names."""
    causes = re.findall(r"^Caused by: (.*)", text, re.MULTILINE)
    if "Traceback (most recent call last)" in text:
        causes = _PYTHON_ERROR.findall(text[text.rindex("Traceback (most recent call last)") :]) or causes
    return one_line(Exception(causes[-1] if causes else text))
