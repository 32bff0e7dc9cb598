"""What the drills build on does what it says: the proxies, the moments, the command line, the sum."""

import socket
import struct
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.faults.__main__ import Total
from tests.faults.arguments import NAMES, parse_arguments
from tests.faults.drills import DRILLS, Outcome
from tests.faults.ground import Ground
from tests.faults.job_progress import Checkpoint
from tests.faults.kafka_proxy import opened_kafka_proxy
from tests.faults.moment import Moment, NotExercised
from tests.faults.s3_proxy import Reply, Request, S3Proxy, Upstream, opened_s3_proxy

HOST = "127.0.0.1"


class Store(ThreadingHTTPServer):
    """Keeps what it got, whole bodies only; answers with the Host that it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__((HOST, 0), _StoreHandler)


class _StoreHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def do_PUT(self) -> None:
        wanted = int(self.headers["Content-Length"])
        body = self.rfile.read(wanted)
        if len(body) < wanted:
            self.close_connection = True
            return
        self.server.bodies.append(body)
        answer = self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as store:
        Thread(target=store.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield store
        store.shutdown()


@pytest.fixture
def proxy(store: Store) -> Iterator[S3Proxy]:
    with opened_s3_proxy(0, store.server_address[1]) as proxy:
        yield proxy


def put(proxy: S3Proxy, body: bytes) -> bytes:
    address = f"http://{HOST}:{proxy.server_address[1]}/bucket/alerts/one"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(address, body, {"Host": "signed:1"}, method="PUT")  # ours
    answer: bytes = opener.open(request, timeout=20).read()
    return answer


def test_the_s3_proxy_hands_on_bytes_and_the_signed_host_unchanged(store: Store, proxy: S3Proxy) -> None:
    assert put(proxy, b"\x00parquet") == b"signed:1"
    assert store.bodies == [b"\x00parquet"]


def test_the_s3_proxy_answers_in_place_of_the_server(store: Store, proxy: S3Proxy) -> None:
    proxy.behaviour = lambda *_: Reply(503, [], b"<Error/>")
    with pytest.raises(HTTPError, match="503"):
        put(proxy, b"parquet")
    assert store.bodies == []


def test_an_upload_that_the_s3_proxy_cuts_never_reaches_the_store(store: Store, proxy: S3Proxy) -> None:
    def cut(request: Request, upstream: Upstream) -> None:
        upstream.break_off(request)

    proxy.behaviour = cut
    with pytest.raises((OSError, HTTPException)):
        put(proxy, b"parquet")
    assert store.bodies == []


def test_a_reply_is_held_until_the_drill_lets_it_go_and_the_store_has_the_object(
    store: Store, proxy: S3Proxy
) -> None:
    moment = Moment("the object is there, the reply held")

    def hold(request: Request, upstream: Upstream) -> Reply:
        reply = upstream.forward(request)
        moment.arrive()
        return reply

    proxy.behaviour = hold
    answers: list[bytes] = []
    client = Thread(target=lambda: answers.append(put(proxy, b"parquet")))
    client.start()
    assert moment.wait(20)
    assert (store.bodies, answers) == ([b"parquet"], [])
    moment.let_go()
    client.join(20)
    assert answers == [b"signed:1"]
    assert put(proxy, b"next") == b"signed:1"  # only the first one is held


@pytest.fixture
def broker() -> Iterator[socket.socket]:
    """Answers each request with its correlation id."""
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                while head := client.recv(4, socket.MSG_WAITALL):
                    (size,) = struct.unpack(">i", head)
                    frame = client.recv(size, socket.MSG_WAITALL)
                    client.sendall(struct.pack(">i", 4) + frame[4:8])
                client.close()

        Thread(target=serve, daemon=True).start()
        yield listener


def test_the_kafka_proxy_drops_answers_to_produce_requests_and_no_others(broker: socket.socket) -> None:
    with (
        opened_kafka_proxy(0, broker.getsockname()[1]) as proxy,
        closing(socket.create_connection((HOST, proxy.port), 20)) as client,
    ):

        def ask(kind: int, correlation: int) -> bytes:
            client.sendall(struct.pack(">ihhi", 8, kind, 9, correlation))
            return client.recv(8, socket.MSG_WAITALL)

        proxy.on_produced = lambda: False
        assert ask(kind=1, correlation=7) == struct.pack(">ii", 4, 7)
        assert ask(kind=0, correlation=8) == b""  # cut


def test_a_drill_whose_moment_never_comes_was_not_exercised(tmp_path: Path) -> None:
    """The job has ended, so that nothing can arrive at the moment any more."""
    lane: Any = SimpleNamespace(settings=SimpleNamespace(detection=SimpleNamespace(checkpoint=str(tmp_path))))
    lane.start_job = lambda **_: SimpleNamespace(
        process=SimpleNamespace(poll=lambda: 0), text=lambda: "stopped cleanly"
    )
    servers: Any = SimpleNamespace(through={})
    load: Any = None
    ground = Ground(lane, servers, load, Random(1), print)
    ground.start_job()
    with pytest.raises(NotExercised, match="the alerts' PUT: it never came"):
        ground.until_reached(Moment("the alerts' PUT"))
    with pytest.raises(NotExercised, match="ended before it could be killed"):
        ground.kill_job()


def test_a_checkpoint_shows_what_is_planned_judged_and_committed(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path)
    assert (checkpoint.planned(), checkpoint.state_begun(), checkpoint.committed()) == (-1, -1, -1)
    state = "state/0/1/"
    for name in ("offsets/9", "offsets/10", "offsets/metadata", "commits/9", f"{state}10.delta"):
        (tmp_path / "cluster" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cluster" / name).touch()
    assert (checkpoint.planned(), checkpoint.state_begun(), checkpoint.committed()) == (10, 9, 9)
    (tmp_path / "cluster" / state / ".11.delta.0a1b2c.tmp").touch()
    assert checkpoint.state_begun() == 10


def test_every_drill_has_its_name_on_the_command_line() -> None:
    assert tuple(DRILLS) == NAMES
    given = parse_arguments(["--rounds", "3", "--seed", "7", "--drills", "driver,cluster"])
    assert (given.rounds, given.seed, given.drills) == (3, 7, ("driver", "cluster"))


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--rounds", "x"], ["--drills", "driver,earthquake"]])
def test_a_wrong_option_ends_it_with_exit_code_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(words)
    assert ended.value.code == 2


def test_the_last_line_is_the_sum_of_all_drills() -> None:
    total = Total(rounds=2)
    total.add(Outcome(3, 1_000, 20, []))
    total.add(Outcome(4, 2_000, 30, ["an alert is missing"]))
    assert str(total) == "2 rounds, 7 faults injected, 3000 records, 50 alerts, 1 differences"
    total.failed.append("driver of round 2")
    assert str(total).endswith("1 differences, drills that failed: driver of round 2")
