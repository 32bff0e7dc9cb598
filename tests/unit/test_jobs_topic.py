"""The source topic, asked directly: a client that gets no answer is not asked again."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from fraud.settings import KafkaSettings
from jobs.detect import topic
from jobs.detect.topic import LATEST, Topic

TIMED_OUT = KafkaException(KafkaError(KafkaError._TIMED_OUT))


class Clients:
    """Makes clients; those whose numbers are `lost` never find a broker."""

    def __init__(self, lost: set[int]) -> None:
        self.lost, self.made = lost, 0

    def __call__(self, _: object) -> "Client":
        self.made += 1
        return Client(self.made in self.lost)


class Client:
    """AdminClient and Consumer of confluent-kafka, for a topic of one partition with 7 records."""

    def __init__(self, lost: bool) -> None:
        self._lost = lost

    def list_topics(self, name: str, **_: object) -> Any:
        self._fail_if_lost()
        return SimpleNamespace(topics={name: SimpleNamespace(partitions=[0])})

    def list_offsets(self, asked: dict[Any, Any], **_: object) -> dict[Any, Future[Any]]:
        answers: dict[Any, Future[Any]] = {each: Future() for each in asked}
        for future in answers.values():
            if self._lost:
                future.set_exception(TIMED_OUT)
            else:
                future.set_result(SimpleNamespace(offset=7))
        return answers

    def commit(self, **_: object) -> None:
        self._fail_if_lost()

    def _fail_if_lost(self) -> None:
        if self._lost:
            raise TIMED_OUT


@pytest.mark.parametrize(
    "call",
    [Topic.partitions, lambda source: source.ask([0], LATEST)()],
    ids=["partitions", "offsets"],
)
def test_after_a_question_without_an_answer_a_new_client_asks(
    monkeypatch: pytest.MonkeyPatch, call: Any
) -> None:
    clients = Clients(lost={1})
    monkeypatch.setattr(topic, "AdminClient", clients)
    source = Topic(KafkaSettings(), "group")
    with pytest.raises(KafkaException):
        call(source)
    assert call(source) in ([0], {0: 7})
    call(source)
    assert clients.made == 2


def test_two_questions_to_the_same_lost_client_make_one_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = Clients(lost={1})
    monkeypatch.setattr(topic, "AdminClient", clients)
    source = Topic(KafkaSettings(), "group")
    for answer in [source.ask([0], LATEST), source.ask([0], LATEST)]:
        with pytest.raises(KafkaException):
            answer()
    assert clients.made == 2


def test_after_a_failed_commit_a_new_client_commits_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = Clients(lost={1})
    monkeypatch.setattr(topic, "Consumer", clients)
    source = Topic(KafkaSettings(), "group")
    with pytest.raises(KafkaException):
        source.commit({0: 7})
    source.commit({0: 7})
    source.commit({0: 7})
    assert clients.made == 2
