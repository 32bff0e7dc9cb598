"""What scripts/bench.sh makes of a run: which micro-batches count, and when a figure is none."""

import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from jobs.detect.metrics import METRICS
from local.native.findings import SentAlert
from scripts.bench.arguments import parse_arguments
from scripts.bench.cpu import Look, Watch
from scripts.bench.document import merged
from scripts.bench.report import as_text
from scripts.bench.results import Observed, TooFewError, figures
from scripts.bench.scenarios import Scenario

MACHINE = {"cores": 2, "processor": "some", "memory_gib": 24}


def batch(number: int, time: int, read: int, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(METRICS.names)
    row |= {"kind": "batch", "batch_id": number, "batch_time": time, "read": read, "evaluated": read}
    row |= {"duplicate": 0, "rejected": 0, "gaps": 0, "lost": 0, "alerts": 1, "duration_ms": 900}
    return row | {"state_bytes": 2**20} | changes


def watch(*looks: Look) -> Watch:
    """Looks at a second each: the JVM uses one core, others half of one."""
    seen = Watch({})
    seen.looks = list(looks) or [Look(s * 1000, {"jvm": s}, 1.5 * s, 0.0) for s in range(100)]
    return seen


def observed(rows: list[dict[str, Any]], rate: int | None = None, **changes: Any) -> Observed:
    sent = [SentAlert("a", "velocity", 4_000, 4_700), SentAlert("b", "velocity", 5_000, 5_900)]
    found = Observed(
        scenario=Scenario("s", "some payments", rate=rate),
        metrics=pa.Table.from_pylist(rows, METRICS),
        stored=["a", "b"],
        alerts=sent,
        watch=watch(),
        began=4_500,
        against_oracle=None,
    )
    return replace(found, **changes)


BACKLOG = [batch(0, 0, 50), *(batch(n, 10_000 + 2_000 * n, 1_000) for n in range(1, 5)), batch(5, 20_000, 10)]


def test_of_a_backlog_neither_the_cold_first_micro_batch_nor_the_small_last_one_counts() -> None:
    found = figures(observed(BACKLOG))
    assert (found.batches, found.rows) == (4, 4_000)
    assert found.rows_per_second == pytest.approx(4_000 / 8)
    assert found.cpu_us_per_row["jvm"] == pytest.approx(8 / 4_000 * 1e6)
    assert found.batch_ms["p50"] == 2_000
    assert found.other_programs == pytest.approx(0.5)
    assert found.problems == []


def test_latencies_are_those_of_payments_after_the_warm_up() -> None:
    rows = [batch(n, 1_000 * n, 100) for n in range(10)]
    found = figures(observed(rows, rate=100))
    assert found.latency_ms == {"p50": 900, "p95": 900, "p99": 900}
    assert found.batches == 4  # 5 to 8: the ninth one's end is not known


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metrics": pa.Table.from_pylist([*BACKLOG[:-1], batch(5, 20_000, 10, lost=1)], METRICS)}, "add up"),
        ({"stored": ["a", "a", "b"]}, "3 alerts in Parquet, 2 of them distinct"),
        ({"stored": ["a"]}, "2 in Kafka"),
        ({"against_oracle": ["1 alerts are missing"]}, "1 alerts are missing"),
    ],
)
def test_a_run_that_lost_count_or_alerts_is_a_problem(changes: dict[str, Any], said: str) -> None:
    found = figures(observed(BACKLOG, **changes))
    assert len(found.problems) == 1
    assert said in found.problems[0]
    assert f"PROBLEM in s: {found.problems[0]}" in as_text([found], MACHINE)


def test_a_run_with_too_few_micro_batches_says_what_to_change() -> None:
    with pytest.raises(TooFewError, match="take more --records"):
        figures(observed(BACKLOG[:2]))


def test_the_json_holds_what_the_tables_show() -> None:
    found = [figures(observed(BACKLOG)), figures(observed([batch(n, 1_000 * n, 9) for n in range(9)], 100))]
    text, data = (
        as_text(found, MACHINE),
        json.loads(merged(None, MACHINE, {"figures": [each.as_dict() for each in found]})),
    )
    assert data["machine"] == MACHINE
    for each in data["figures"]:
        assert each["what"] in text
    assert f"{data['figures'][0]['rows_per_second']:,.0f}" in text
    assert "other programs, the producer among them, took meanwhile" in text


def test_a_scenario_of_an_unknown_name_is_refused_with_the_names_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        parse_arguments(["--only", "catch-upp"])
    assert end.value.code == 2
    assert "there is catch-up, catch-up-iso" in capsys.readouterr().err


def test_scenarios_are_named_after_the_rates_asked_for() -> None:
    names = [each.name for each in parse_arguments(["--rates", "7,70"]).scenarios]
    assert names[-3:] == ["rate-7", "rate-70", "rate-7-archive"]
