"""The contest of scripts/bench.sh: its load, its rules, and what it makes of answers and runs."""

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import orjson
import pytest

from scripts.bench.arguments import parse_arguments
from scripts.bench.charts import day_chart, peers_chart
from scripts.bench.contest.backlog import Backlog
from scripts.bench.contest.contestants import CONTESTANTS, PIPELINE
from scripts.bench.contest.day import flatness, series
from scripts.bench.contest.live import waited
from scripts.bench.contest.load import Load, generate, last_alerts, last_records
from scripts.bench.contest.measures import Answer, correctness, percentiles, steady
from scripts.bench.contest.report import contest_table, notes, remarks
from scripts.bench.contest.rounds import BUSY, TRIES, median, undisturbed
from scripts.bench.contest.run import Crash, Run
from scripts.bench.contest.scaling import variants
from scripts.bench.contest.standings import Standing, problems_of
from scripts.bench.document import merged
from scripts.bench.peers.user_history import judge
from scripts.oracle import DEFAULT_RULES, Conditions, expect, read_rules
from scripts.oracle_records import Sent

LOAD = Load(20_000, users=2_000, rate=100)
RUN = Run(50_000.0, 12.0, 30_000.0, 20.0, 900.0, 5.0, 1.0, 1.0, 0.0, 0.05, finished=True)


def sent_records(load: Load) -> list[Sent]:
    """A load as it would lie in one partition."""
    ends = [(key, value) for _, key, value in last_records(load, 1)]
    records = [*generate(load).records(), *ends]
    return [Sent(0, offset, load.start + 10**10, key, value) for offset, (key, value) in enumerate(records)]


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not() -> None:
    once, again = list(generate(LOAD).records()), list(generate(LOAD).records())
    assert once == again
    assert once != list(generate(replace(LOAD, seed=1)).records())


def test_a_tenth_comes_late_and_none_by_more_than_thirty_seconds() -> None:
    time = generate(replace(LOAD, repeated=0.0)).time
    behind = np.maximum.accumulate(time) - time
    # a payment that is not late comes within 200 ms; of those that are, one in 150 does, too
    assert 0.09 < (behind > 200).mean() < 0.11
    assert 29_000 < behind.max() <= 30_000


def test_ids_that_are_sent_again_come_with_the_same_content() -> None:
    contents = defaultdict(set)
    records = list(generate(LOAD).records())
    for _, value in records:
        contents[orjson.loads(value)["transaction_id"]].add(value)
    assert all(len(each) == 1 for each in contents.values())
    assert 0.003 < len(records) / len(contents) - 1 < 0.007


def test_live_payments_come_in_order_and_once() -> None:
    payments = generate(LOAD.live())
    assert (np.diff(payments.time) >= 0).all()
    assert len(np.unique(payments.number)) == len(payments.number) == LOAD.events


def test_the_history_of_a_user_gives_the_alerts_of_the_oracle() -> None:
    sent = sent_records(LOAD)
    expected = {
        (pair.rule_id, pair.transaction_id)
        for pair in expect(sent, Conditions(read_rules(DEFAULT_RULES))).alerts
    }
    histories: defaultdict[str, list[list[Any]]] = defaultdict(list)
    found = []
    for record in sent:
        payment = orjson.loads(record.value or b"")
        names = ("transaction_id", "timestamp", "amount", "location")
        found += judge(histories[payment["user_id"]], *(payment[name] for name in names))
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert last_alerts(1) <= expected
    assert {rule for rule, _ in expected} == {"high_amount", "velocity", "multiple_locations"}


def test_recall_precision_and_repeats_are_told_apart() -> None:
    expected = {("velocity", name) for name in "abcd"}
    answers = [Answer("velocity", name, 0) for name in "abx"] + [Answer("velocity", "a", 1)]
    found = correctness(answers, expected)
    assert (found.recall, found.precision, found.repeated) == (0.5, 2 / 3, 0.25)
    assert correctness([], expected).recall == 0


def answers_at(*moments: tuple[int, int]) -> tuple[list[Answer], dict[str, tuple[int, int]]]:
    """Answers at (milliseconds, offset) in one partition."""
    return (
        [Answer("velocity", str(offset), at) for at, offset in moments],
        {str(offset): (0, offset) for _, offset in moments},
    )


def test_one_who_works_record_by_record_has_the_rate_of_the_slope() -> None:
    found = steady(*answers_at(*((at, at * 10) for at in range(0, 10_001, 10))), 100_000)
    assert found is not None
    assert found.per_second == pytest.approx(10_000, rel=0.01)
    assert found.since == pytest.approx(2_000, abs=20)  # a tenth, and a second


def test_one_who_works_in_batches_is_not_credited_with_the_batch_before() -> None:
    """400,000 records at 10 s, as many at 14 s, 200,000 at 16 s: 600,000 in 6 s, whatever the share."""
    batches = ((10_000, 0, 400_000), (14_000, 400_000, 800_000), (16_000, 800_000, 1_000_000))
    moments = [
        (at + n, first + (last - first) * (n + 1) // 300 - 1)
        for at, first, last in batches
        for n in range(300)
    ]
    found = steady(*answers_at(*moments), 1_000_000)
    assert found is not None
    assert (found.since, found.until) == (10_299, 16_299)
    assert found.per_second == pytest.approx(100_000, rel=0.001)


def test_alerts_that_come_all_together_tell_no_rate() -> None:
    assert steady(*answers_at((10, 0), (20, 900)), 1_000) is None
    assert steady([], {}, 1_000) is None


def test_latency_counts_the_first_alert_of_payments_in_the_window() -> None:
    answers = [
        Answer("velocity", "early", 900),
        Answer("velocity", "a", 1_500),
        Answer("velocity", "a", 1_400),
        Answer("high_amount", "a", 1_700),
        Answer("velocity", "after", 3_000),
    ]
    sent = {"early": 800, "a": 1_000, "after": 2_000}
    assert sorted(waited(answers, sent, (1_000, 2_000))) == [400, 700]
    assert percentiles([400] * 99 + [700]) == {"p50": 400, "p95": 400, "p99": 403, "alerts": 100}


@dataclass(frozen=True)
class Spoiled:
    """A run of which only this is known."""

    others: float
    whole_cpu_us_per_event: float = 1.0


def test_a_run_on_a_busy_machine_is_repeated_and_the_quietest_one_counts() -> None:
    shares = iter([0.5, BUSY + 0.01, 0.3, 0.0])
    said: list[str] = []
    assert undisturbed(lambda: Spoiled(next(shares)), said.append).others == BUSY + 0.01
    assert len(said) == TRIES
    assert next(shares) == 0.0  # no fourth time


def test_a_quiet_run_is_not_repeated() -> None:
    shares = iter([BUSY, 0.0])
    assert undisturbed(lambda: Spoiled(next(shares)), lambda _: None).others == BUSY


def test_the_run_in_the_middle_counts_with_all_its_figures() -> None:
    runs = [Spoiled(0.1, 30.0), Spoiled(0.2, 10.0), Spoiled(0.3, 20.0)]
    assert median(runs) == runs[2]


@pytest.mark.parametrize(
    ("name", "changes", "crash", "said"),
    [
        ("this pipeline", {"recall": 0.999}, None, "not those of the oracle"),
        ("this pipeline", {"precision": 0.999}, None, "not those of the oracle"),
        ("Quix", {"finished": False}, None, "did not come to the end"),
        ("Quix", {}, Crash(0.9, 1.0, 0.0), "killed half-way it found 0.9000"),
    ],
)
def test_what_makes_figures_void_is_a_problem(
    name: str, changes: dict[str, Any], crash: Crash | None, said: str
) -> None:
    (each,) = (each for each in CONTESTANTS if each.name == name)
    (problem,) = problems_of(each, [replace(RUN, **changes)], crash)
    assert said in problem
    assert problems_of(each, [RUN], Crash(1.0, 1.0, 0.3)) == []


def standings() -> list[dict[str, Any]]:
    waits = {"100": {"p50": 500, "p95": 700, "p99": 900, "alerts": 9}, "1000": None}
    quick = replace(RUN, cpu_us_per_event=96.0, whole_cpu_us_per_event=99.0, recall=0.5)
    return [
        Standing(each, "v1", [RUN if each == PIPELINE else quick], None, waits).as_dict()
        for each in CONTESTANTS[:2]
    ]


def test_a_contestant_in_json_has_what_the_tables_and_the_chart_show() -> None:
    ours, other = json.loads(json.dumps(standings()))
    assert list(ours)[:4] == ["name", "events_per_s", "cpu_us_per_event", "whole_events_per_s"]
    wanted = {
        "name", "events_per_s", "cpu_us_per_event", "peak_rss_mb", "first_alert_s", "recall", "precision",
        "survives_crash", "latency_ms",
    }  # fmt: skip
    assert wanted <= ours.keys()
    table = contest_table([other, ours])
    assert "this pipeline" in table[2]  # the cheaper one first
    assert "8.0" in table[3].split("|")[5]  # times ours
    assert "0.50 s" in table[2]
    assert "v1" in notes([ours])[2]
    assert len(contest_table([ours], short=True)[0]) < len(table[0])
    chart = peers_chart([ours, other])
    assert ">12.0 us · exact · survives<" in chart
    assert "recall 0.500" in chart


def test_a_contestant_that_was_disturbed_is_named_with_the_share() -> None:
    ours, other = standings()
    assert remarks([ours, other]) == []
    (said,) = remarks([ours, other | {"others": 0.4}])
    assert "meanwhile, so that all is slower: ceiling 40%." in said
    (said,) = remarks([ours | {"problems": ["it is wrong"]}, other])
    assert said == "PROBLEM of this pipeline: it is wrong"


def test_a_part_of_the_json_file_is_replaced_and_the_others_stay() -> None:
    machine = {"cores": 2}
    before = merged(None, machine, {"figures": [1], "contestants": [2]})
    assert json.loads(merged(before, machine, {"contestants": [3]})) == {
        "machine": machine, "figures": [1], "contestants": [3],
    }  # fmt: skip


def test_figures_of_another_machine_do_not_stay_beside_new_ones() -> None:
    before = merged(None, {"cores": 2}, {"figures": [1]})
    assert json.loads(merged(before, {"cores": 4}, {"day": 1})) == {"machine": {"cores": 4}, "day": 1}


def test_a_day_is_flat_when_its_last_quarter_is_as_its_second() -> None:
    assert flatness([1, 1, 5, 5, 9, 9, 5, 5]) == 1
    batches = [
        {"read": 60_000, "state_bytes": 100 + n, "memory_rows": 7, "duration_ms": 50} for n in range(8)
    ]
    last = {"read": 20, "state_bytes": 1, "memory_rows": 1, "duration_ms": 1}
    found = series([*batches, last], Backlog("t", 4, Load(480_000, rate=100), 480_020, {}, set()))
    assert found["hours"][0] == pytest.approx(1 / 6, abs=0.001)
    assert len(found["state_bytes"]) == 8
    assert found["state_bytes_ratio"] == pytest.approx(106.5 / 102.5)
    assert day_chart(found).count("<polyline") == 2


def test_each_variant_changes_one_thing() -> None:
    base = Load(1_000_000)
    usual = {"partitions": 4, "load": base, "settings": {}}
    for each in variants(["partitions", "users", "batch", "executors"]):
        found = {"partitions": each.partitions, "load": each.load(base), "settings": dict(each.settings)}
        assert sum(found[name] != usual[name] for name in usual) <= 1
    few = variants(["users"])[0].load(base)
    assert (few.users, few.rate) == (1_000, 10.0)
    assert asdict(few) | {"users": 100_000, "rate": 1_000} == asdict(base)


def test_contestants_and_factors_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert [each.name for each in parse_arguments(["--peers", "quix,This pipeline"]).peers] == [
        "this pipeline",
        "Quix",
    ]
    assert parse_arguments(["--peers"]).scenarios == []
    assert len(parse_arguments(["--peers"]).peers) == len(CONTESTANTS)
    assert parse_arguments(["--scaling", "users"]).scaling == ["users"]
    assert len(parse_arguments([]).scenarios) > 0
    for wrong in (["--peers", "Flunk"], ["--scaling", "size"], ["--peers", "--runs", "0"]):
        with pytest.raises(SystemExit) as end:
            parse_arguments(wrong)
        assert end.value.code == 2
    assert "there is no flunk; there is this pipeline" in capsys.readouterr().err
