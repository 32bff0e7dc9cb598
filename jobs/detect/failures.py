"""What an exception from deep inside Spark means to the person who runs the job."""

import re

from jobs.detect.errors import OUTAGE, SETTINGS, JobError
from jobs.detect.retry import one_line

_PASSING = re.compile(
    r"org\.apache\.kafka\.common\.errors\.(Timeout|Disconnect|Network|NotLeader\w*|LeaderNotAvailable|"
    r"BrokerNotAvailable|CoordinatorNotAvailable|NotEnoughReplicas|UnknownTopicOrPartition)Exception"
    r"|KafkaOffsetReader\w*.*[Tt]imeout|java\.net\.(Connect|SocketTimeout|UnknownHost|NoRouteToHost)Exception"
    r"|software\.amazon\.awssdk\.core\.exception\.SdkClientException"
    r"|org\.apache\.hadoop\.fs\.s3a\.(AWSServiceThrottled|AWSStatus500)Exception"
)
_INCOMPATIBLE = re.compile(r"fraud\.memory\.IncompatibleState: (.*)")
_DATA_LOSS = re.compile(
    r"failOnDataLoss|KAFKA_DATA_LOSS|OffsetOutOfRange|may have been lost|offset was changed"
)
_PYTHON_ERROR = re.compile(r"^(?:[a-zA-Z_][\w.]*)?(?:Error|Exception|[A-Z]\w+): .*", re.MULTILINE)


def explain(error: BaseException) -> JobError:
    """The end of the job that `error` means, in one line: what happened, and what to do about it."""
    if isinstance(error, JobError):
        return error
    text = str(error)
    incompatible = _INCOMPATIBLE.search(text)
    if incompatible:
        return JobError(
            f"the checkpoint's state cannot be read: {incompatible[1].strip()}. Run the release that "
            "wrote it, or set another FRAUD_CHECKPOINT (and --take-over)",
            SETTINGS,
        )
    if _DATA_LOSS.search(text):
        return JobError(
            f"records have gone from the topic before they were read: {_cause(text)}. --accept-loss goes on "
            "without them"
        )
    if _PASSING.search(text):
        return JobError(f"Spark could not reach Kafka or the object store: {_cause(text)}", OUTAGE)
    return JobError(f"the query failed: {type(error).__name__}: {_cause(text)}")


def _cause(text: str) -> str:
    """The innermost cause that a Java or Python trace names."""
    causes = re.findall(r"^Caused by: (.*)", text, re.MULTILINE)
    if "Traceback (most recent call last)" in text:
        causes = _PYTHON_ERROR.findall(text[text.rindex("Traceback (most recent call last)") :]) or causes
    return one_line(Exception(causes[-1] if causes else text))
