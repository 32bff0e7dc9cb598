"""A proxy on loopback in front of a Kafka broker: holds or drops the answers to what is produced."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from local.native.ports import HOST

_PRODUCE = 0  # its number among Kafka's requests

OnProduced = Callable[[], bool]
"""Asked when the broker has answered a produce request, before the client has the answer: whether to pass it
on. False cuts the connection instead."""


def unhindered() -> bool:
    """No fault at all."""
    return True


class KafkaProxy:
    """Listens on `port` of loopback (0: any); `on_produced` may be changed at any time.

    The broker must advertise this address to those who come through here, else they go past it.
    """

    def __init__(self, port: int, upstream: int) -> None:
        self.on_produced: OnProduced = unhindered
        self._upstream = upstream
        self._listener = socket.create_server((HOST, port))
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Accept connections until `close`."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                broker = socket.create_connection((HOST, self._upstream))
            except OSError:  # the broker is away: so are we
                client.close()
                continue
            _Connection(self, client, broker).start()

    def close(self) -> None:
        """Accept nobody any more; connections end with the process."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class _Connection:
    """One connection of a client and its own to the broker; both end together."""

    def __init__(self, proxy: KafkaProxy, client: socket.socket, broker: socket.socket) -> None:
        self._proxy, self._client, self._broker = proxy, client, broker
        for each in (client, broker):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._producing: set[int] = set()  # correlation ids of produce requests without an answer

    def start(self) -> None:
        for copy in (self._copy_requests, self._copy_answers):
            Thread(target=self._until_it_ends, args=(copy,), daemon=True).start()

    def _until_it_ends(self, copy: Callable[[], None]) -> None:
        with suppress(OSError):
            copy()
        for each in (self._client, self._broker):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # the other thread reads from it
            each.close()

    def _copy_requests(self) -> None:
        # int32 size, int16 which request, int16 its version, int32 correlation id, ...
        for frame in _frames(self._client):
            kind, _, correlation = struct.unpack_from(">hhi", frame, 4)
            if kind == _PRODUCE:
                self._producing.add(correlation)
            self._broker.sendall(frame)

    def _copy_answers(self) -> None:
        # int32 size, int32 correlation id, ...
        for frame in _frames(self._broker):
            (correlation,) = struct.unpack_from(">i", frame, 4)
            if correlation in self._producing:
                self._producing.remove(correlation)
                if not self._proxy.on_produced():
                    return
            self._client.sendall(frame)


def _frames(stream: socket.socket) -> Iterator[bytes]:
    """What comes from `stream`, request by request or answer by answer, each with its size in front."""
    with stream.makefile("rb") as file:
        while len(head := file.read(4)) == 4:
            (size,) = struct.unpack(">i", head)
            body = file.read(size)
            if len(body) < size:
                return
            yield head + body


@contextmanager
def opened_kafka_proxy(port: int, upstream: int) -> Iterator[KafkaProxy]:
    """A proxy at work."""
    proxy = KafkaProxy(port, upstream)
    thread = Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
