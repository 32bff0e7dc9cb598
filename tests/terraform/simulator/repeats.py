"""One call at a time, each once: a client that lost an answer asks again, and gets the same answer."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Repeats:
    """Before a WSGI application: what was done once is not done again, and nothing is done at the same time.

    Now and then a connection ends before the client has read its answer. AWS's clients then ask again under
    the same invocation id; moto, which had done it already, would say that a thing is there, or gone. Nor is
    moto made for threads.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._answers: dict[str, tuple[str, Any, bytes]] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer, or repeat the answer."""
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID", "")
        with self._lock:
            answer = self._answers.get(invocation) or self._first(environ)
            if invocation:
                self._answers[invocation] = answer
        status, headers, body = answer
        start_response(status, headers)
        return [body]

    def _first(self, environ: dict[str, Any]) -> tuple[str, Any, bytes]:
        started: list[Any] = []

        def start(status: str, headers: Any, *_: Any) -> None:
            started[:] = [status, headers]

        body = b"".join(self._application(environ, start))
        return started[0], started[1], body
