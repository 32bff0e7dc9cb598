"""The bench's Spark contestant does what a user of Spark 4.1.1 has to do after a crash, and no more."""

import pytest
from pyspark.errors import StreamingQueryException

from scripts.bench.peers.spark_parse.__main__ import run

REPLAYED = 'because the return value of "scala.Option.get()" is null'  # SPARK-57438
AWAY = "the broker is away"


class Query:
    """A query that runs until somebody stops it, or fails."""

    def __init__(self, failure: str | None) -> None:
        self._failure = failure

    def awaitTermination(self) -> None:  # noqa: N802  (Spark's name)
        if self._failure is not None:
            raise StreamingQueryException(self._failure)


def run_all(*failures: str | None) -> None:
    """Run queries that end like this, one after the other: all of them are started."""
    queries = [Query(failure) for failure in failures]
    try:
        run(lambda: queries.pop(0))  # type: ignore[arg-type, return-value]
    finally:
        assert queries == []


def test_a_query_that_died_of_its_replay_is_started_again_once() -> None:
    run_all(None)
    run_all(REPLAYED, None)


@pytest.mark.parametrize("failures", [(AWAY,), (REPLAYED, REPLAYED), (REPLAYED, AWAY)])
def test_any_other_end_is_an_error(failures: tuple[str, ...]) -> None:
    with pytest.raises(StreamingQueryException, match=failures[-1][:10]):
        run_all(*failures)
