"""Every call to the simulator passes here: it is counted, and may be made to fail."""

import sys
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import ACTION_MAP, S3Response


class Faults:
    """How many more times each operation, as `service:Operation`, fails; and how often each was called."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, int] = {}
        self.calls: Counter[str] = Counter()

    def set(self, left: Mapping[str, int]) -> None:
        """Replace all faults."""
        with self._lock:
            self._left = dict(left)

    def left(self) -> dict[str, int]:
        """The faults that have not happened yet."""
        with self._lock:
            return {operation: times for operation, times in self._left.items() if times}

    def happens(self, operation: str) -> bool:
        """Count a call; whether it is to fail."""
        with self._lock:
            self.calls[operation] += 1
            if not self._left.get(operation):
                return False
            self._left[operation] -= 1
            return True


FAULTS = Faults()


class InjectedFault(S3ClientError):  # of S3, which would not take another
    """One failed operation: no client tries again at this code."""

    code = "InjectedFault"


class NotSimulated(ServiceException):
    """moto answers 500 instead, at which the provider tries again for ten minutes."""

    code = "NotSimulated"


def install() -> None:
    """Put the faults before every operation of every service."""
    call_action = BaseResponse.call_action
    bucket_response = S3Response._bucket_response

    def guarded_call_action(self: BaseResponse) -> Any:
        operation = f"{self.service_name}:{self._get_action()}"
        if FAULTS.happens(operation):
            return self.serialized(ActionResult(InjectedFault(operation)))
        try:
            return call_action(self)
        except NotImplementedError as error:
            print(f"not simulated: {operation}", file=sys.stderr, flush=True)
            return self.serialized(ActionResult(NotSimulated(str(error))))

    def guarded_bucket_response(self: S3Response, request: Any, full_url: str) -> Any:
        actions = ACTION_MAP["BUCKET"].get(request.method, {})
        for parameter, action in actions.items():
            if parameter in request.args and FAULTS.happens(f"s3:{action}"):
                raise InjectedFault(f"s3:{action}")
        return bucket_response(self, request, full_url)

    BaseResponse.call_action = guarded_call_action
    S3Response._bucket_response = guarded_bucket_response
