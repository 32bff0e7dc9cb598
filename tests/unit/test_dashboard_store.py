"""The dashboard's S3 store against a server with just enough S3: its answers become plain errors."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import pytest

from dashboard.store import DeniedError, Listed, NoBucketError, Place, S3Store, UnreachableError
from fraud.settings import ObjectStoreSettings

SECRET = "s3cr3t-value"  # noqa: S105  (a value to look for in messages)


class Handler(BaseHTTPRequestHandler):
    """Lists and serves `objects`, two a page; or answers all requests with `failure` (status, code)."""

    objects: dict[str, bytes]
    failure: tuple[int, str] | None
    asked: list[str]

    def do_GET(self) -> None:
        """ListObjectsV2 and GetObject."""
        address = urlparse(self.path)
        self.asked.append(self.path)
        if self.failure:
            self._answer(self.failure[0], _error(self.failure[1]))
        elif "list-type" in address.query:
            self._answer(200, self._listing({k: v[0] for k, v in parse_qs(address.query).items()}))
        else:
            key = address.path.removeprefix("/fraud/")
            found = self.objects.get(key)
            self._answer(200, found) if found is not None else self._answer(404, _error("NoSuchKey"))

    def _listing(self, query: dict[str, str]) -> bytes:
        keys = sorted(key for key in self.objects if key.startswith(query["prefix"]))
        keys = [k for k in keys if k > query.get("continuation-token", query.get("start-after", ""))]
        page, rest = keys[:2], keys[2:]
        entries = "".join(
            f"<Contents><Key>{key}</Key><ETag>&quot;{len(self.objects[key])}&quot;</ETag>"
            f"<Size>{len(self.objects[key])}</Size></Contents>"
            for key in page
        )
        more = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if rest else ""
        truncated = str(bool(rest)).lower()
        return (
            f"<ListBucketResult><Name>fraud</Name><IsTruncated>{truncated}</IsTruncated>{more}{entries}"
            "</ListBucketResult>"
        ).encode()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code} happened</Message></Error>".encode()


@pytest.fixture
def server() -> Iterator[tuple[type[Handler], ObjectStoreSettings]]:
    class Own(Handler):
        objects: dict[str, bytes] = {}  # noqa: RUF012
        failure = None
        asked: list[str] = []  # noqa: RUF012

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield Own, store_settings(running.server_address[1])
        running.shutdown()


def store_settings(port: int) -> ObjectStoreSettings:
    return ObjectStoreSettings.model_validate(
        {
            "endpoint_url": f"http://127.0.0.1:{port}",
            "prefix": "runs/1/",
            "access_key_id": "key",
            "secret_access_key": SECRET,
        }
    )


def test_it_lists_all_pages_below_its_prefix_and_reads_what_is_there(
    server: tuple[type[Handler], ObjectStoreSettings],
) -> None:
    handler, settings = server
    handler.objects = {f"runs/1/alerts/{n}": b"x" * n for n in range(5)} | {"runs/2/alerts/9": b"other"}
    store = S3Store(settings)
    listed, nothing = store.find([Place("alerts/"), Place("metrics/")])
    assert listed == [Listed(f"alerts/{n}", f'"{n}" {n}') for n in range(5)]
    assert nothing == []
    assert [each.key for each in store.find([Place("alerts/", "alerts/2")])[0]] == ["alerts/3", "alerts/4"]
    assert store.read(["alerts/3", "alerts/gone"]) == {"alerts/3": b"xxx"}
    assert store.read([]) == {}
    assert len([each for each in handler.asked if "list-type" not in each]) == 2  # one request an object


def test_a_new_object_is_seen_at_once(server: tuple[type[Handler], ObjectStoreSettings]) -> None:
    handler, settings = server
    store = S3Store(settings)
    assert store.find([Place("alerts/")]) == [[]]
    handler.objects["runs/1/alerts/1"] = b"x"
    assert [each.key for each in store.find([Place("alerts/")])[0]] == ["alerts/1"]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "SignatureDoesNotMatch", DeniedError),
        (403, "InvalidAccessKeyId", DeniedError),
        (403, "AccessDenied", DeniedError),
        (400, "ExpiredToken", DeniedError),
        (404, "NoSuchBucket", NoBucketError),
        (500, "InternalError", UnreachableError),
        (503, "SlowDown", UnreachableError),
        (418, "NeverHeardOf", UnreachableError),
    ],
)
def test_what_s3_refuses_is_told_by_its_kind_without_secrets(
    server: tuple[type[Handler], ObjectStoreSettings], status: int, code: str, error: type[Exception]
) -> None:
    handler, settings = server
    handler.failure = (status, code)
    store = S3Store(settings)
    with pytest.raises(error) as caught:
        store.find([Place("alerts/")])
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_listening_is_told_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = S3Store(store_settings(port))
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=str(port)):
        store.find([Place("alerts/")])
    with pytest.raises(UnreachableError):
        store.read(["alerts/1"])
    assert time.monotonic() - began < 20


def test_something_that_is_no_s3_is_told(server: tuple[type[Handler], ObjectStoreSettings]) -> None:
    handler, settings = server
    handler.objects = {}
    handler._listing = lambda *_: b"<html>welcome to the router</html"  # type: ignore[assignment,method-assign,misc]
    with pytest.raises(UnreachableError):
        S3Store(settings).find([Place("alerts/")])
