"""A proxy on loopback in front of the S3 server: hands each request on, or does what a drill tells it to."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from threading import Thread
from typing import Any, NamedTuple

from local.native.ports import HOST

_PATIENCE = 60  # seconds for an answer of the real server
_NOT_HANDED_ON = {"connection", "expect", "keep-alive", "transfer-encoding"}  # these belong to one connection

Headers = list[tuple[str, str]]


class Request(NamedTuple):
    """A request as it came; its headers unchanged, as the signature covers them."""

    method: str
    path: str
    headers: Headers
    body: bytes


class Reply(NamedTuple):
    """An answer; None instead of one cuts the connection."""

    status: int
    headers: Headers
    body: bytes


class Upstream:
    """One connection to the real server."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=_PATIENCE)

    def forward(self, request: Request) -> Reply:
        """The real server's answer. Raises OSError or HTTPException when there is none."""
        self._begin(request)
        self._connection.send(request.body)
        answer = self._connection.getresponse()
        headers = [(name, value) for name, value in answer.getheaders() if _is_handed_on(name)]
        return Reply(answer.status, headers, answer.read())

    def break_off(self, request: Request) -> None:
        """Send half of the request's body, and nothing more, ever."""
        self._begin(request)
        self._connection.send(request.body[: len(request.body) // 2])
        self.close()

    def close(self) -> None:
        """Cut it."""
        self._connection.close()

    def _begin(self, request: Request) -> None:
        self._connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            if _is_handed_on(name):
                self._connection.putheader(name, value)
        self._connection.endheaders()


Behaviour = Callable[[Request, Upstream], Reply | None]


def unchanged(request: Request, upstream: Upstream) -> Reply | None:
    """No fault at all."""
    return upstream.forward(request)


class S3Proxy(ThreadingHTTPServer):
    """Listens on `port` of loopback (0: any); `behaviour` may be changed at any time."""

    daemon_threads = True

    def __init__(self, port: int, upstream: int) -> None:
        self.behaviour: Behaviour = unchanged
        self.upstream = upstream
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is what this is for; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client, with one of its own to the real server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: S3Proxy

    def __init__(self, request: Any, client_address: Any, server: BaseServer) -> None:
        assert isinstance(server, S3Proxy)
        self._upstream = Upstream(server.upstream)
        try:
            super().__init__(request, client_address, server)
        finally:
            self._upstream.close()

    def _exchange(self) -> None:
        assert "chunked" not in self.headers.get("Transfer-Encoding", ""), "boto3 says how long a body is"
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, list(self.headers.items()), body)
        reply = None
        with suppress(OSError, HTTPException):  # the real server is away: so are we
            reply = self.server.behaviour(request, self._upstream)
        if reply is None:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in reply.headers) and reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _exchange  # noqa: N815  # names of http.server

    def log_message(self, *_: Any) -> None:
        """No line a request."""


def _is_handed_on(name: str) -> bool:
    return name.lower() not in _NOT_HANDED_ON


@contextmanager
def opened_s3_proxy(port: int, upstream: int) -> Iterator[S3Proxy]:
    """A proxy at work; its connections end with the process."""
    with S3Proxy(port, upstream) as proxy:
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
