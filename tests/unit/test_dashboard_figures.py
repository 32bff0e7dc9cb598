"""What the dashboard makes of alerts and metrics: figures, series, filters, evidence, words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import charts, contents, evidence_charts, series, signals, words
from dashboard.contents import ALERTS_IN_EUROS, METRICS
from dashboard.evidence import find
from dashboard.feed import Feed, Snapshot
from dashboard.filters import Filter, cities, rules
from dashboard.kpis import is_comparable, kpis
from dashboard.palette import LINES, rule_colours
from dashboard.quantiles import latency
from dashboard.spans import RANGES, Span, last
from tests.alert_store import NOW, MemoryStore, alert, batch, heartbeat, payment, velocity

HOUR = timedelta(hours=1)
SPAN = last("1h", NOW)


def alerts_table(*rows: dict[str, Any]) -> pa.Table:
    store = MemoryStore()
    return contents.alerts(store.objects[store.put_alerts(rows, 1)][0])


def metrics_table(*rows: dict[str, Any]) -> pa.Table:
    store = MemoryStore()
    return contents.metrics(store.objects[store.put_metrics(rows)][0])


def snapshot(alerts: pa.Table, metrics: pa.Table, span: Span = SPAN) -> Snapshot:
    return Snapshot(span, alerts, metrics, 0, span.before.since, None, None)


TWO_HOURS = metrics_table(*(batch(batch_time=NOW - each * HOUR) for each in (2, 1.5, 0)))
"""Of a job that ran in both hours."""

minutes = st.integers(0, 239)
flagged = st.lists(
    st.tuples(minutes, st.sampled_from(["ann", "bob", "eve"]), st.sampled_from(["Paris", "Wien"])),
    max_size=40,
)


@settings(max_examples=25)
@given(flagged, st.lists(st.tuples(minutes, st.integers(0, 1000)), max_size=20))
def test_the_figures_equal_a_naive_count(
    payments: list[tuple[int, str, str]], batches: list[tuple[int, int]]
) -> None:
    def ago(minute: int) -> datetime:
        return NOW - timedelta(minutes=minute)

    rows = [alert(detected_at=ago(m), user_id=user, location=city) for m, user, city in payments]
    alerts = alerts_table(*rows) if rows else ALERTS_IN_EUROS.empty_table()
    measured = [batch(batch_time=ago(m), evaluated=number) for m, number in batches]
    metrics = metrics_table(*measured, heartbeat(ago(3))) if measured else METRICS.empty_table()
    inside = [(user, city) for minute, user, city in payments if minute < 60]
    shown = {kpi.key: kpi for kpi in kpis(snapshot(alerts, metrics))}
    evaluated = sum(number for minute, number in batches if minute < 60)
    assert shown["alerts"].value == f"{len(inside):,}"
    assert sum(shown["alerts"].course) == len(inside)
    assert shown["users"].value == str(len({user for user, _ in inside}))
    assert shown["evaluated"].value == f"{evaluated:,}"
    assert sum(shown["evaluated"].course) == evaluated
    in_span = series.within(alerts, "detected_at", SPAN)
    assert series.alerts_over_time(in_span, SPAN)["alerts"].sum() == len(inside)
    assert series.top(in_span, "location", 10)["alerts"].sum() == len(inside)


@pytest.mark.parametrize(
    ("now", "before", "shown"), [(3, 2, "+50%"), (2, 4, "-50%"), (2, 2, 0), (3, 0, "+3")]
)
def test_a_figure_is_compared_with_the_span_before(now: int, before: int, shown: str | float) -> None:
    rows = [alert(detected_at=NOW - timedelta(minutes=1)) for _ in range(now)]
    rows += [alert(detected_at=NOW - timedelta(minutes=61)) for _ in range(before)]
    assert kpis(snapshot(alerts_table(*rows), TWO_HOURS))[0].change == shown


def test_with_a_job_that_stood_still_before_there_is_no_comparison() -> None:
    metrics = metrics_table(batch(batch_time=NOW - 3 * HOUR), batch())
    assert not is_comparable(snapshot(alerts_table(alert()), metrics))


def test_a_step_that_has_just_begun_has_its_own_pace() -> None:
    span = last("1h", NOW + timedelta(seconds=20))
    rows = [batch(batch_time=NOW + timedelta(seconds=each), read=100) for each in (5, 15)]
    assert list(signals.course(metrics_table(*rows), span)["pace"]) == [10]


def test_without_a_whole_span_before_there_is_no_comparison() -> None:
    alerts = alerts_table(alert())
    young = snapshot(alerts, metrics_table(batch(batch_time=NOW - 1.5 * HOUR), batch()))
    assert not is_comparable(young)
    assert {kpi.change for kpi in kpis(young)} == {None}
    assert is_comparable(snapshot(alerts, TWO_HOURS))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=60))
def test_the_latency_of_batches_of_one_alert_is_the_exact_percentile(values: list[int]) -> None:
    rows = [batch(latency_p50_ms=each, latency_p95_ms=each) for each in values]
    for percentile in (50, 95):
        exact = np.quantile(values, percentile / 100, method="inverted_cdf")
        assert latency(metrics_table(*rows), percentile) == exact


def test_batches_without_alerts_have_no_latency() -> None:
    rows = [batch(latency_p50_ms=None, alerts=0)]
    assert latency(metrics_table(*rows), 50) is None


@pytest.mark.parametrize("name", RANGES)
def test_a_chart_over_any_range_has_enough_bars_and_not_too_many(name: str) -> None:
    span = last(name, NOW)
    assert 60 <= span.length / span.step <= 90


def test_the_names_with_most_alerts_come_first_and_ties_in_order() -> None:
    users = ["ann", "bob", "bob", "eve", "eve", "zoe"]
    frame = series.top(alerts_table(*(alert(user_id=user) for user in users)), "user_id", 3)
    assert list(frame["name"]) == ["bob", "eve", "ann"]


def test_thresholds_in_euros_come_from_rules_without_a_window() -> None:
    rows = [alert(), alert(), velocity(), alert(rule_id="huge", threshold=Decimal(5000))]
    frame = series.thresholds(alerts_table(*rows))
    assert sorted(frame["label"]) == ["threshold 1,000.00 EUR", "threshold 5,000.00 EUR"]


def test_the_signal_is_stale_after_ninety_seconds_without_batch_or_heartbeat() -> None:
    metrics = metrics_table(batch(), heartbeat(NOW + timedelta(seconds=30)))
    assert not signals.signal(metrics, NOW + timedelta(seconds=120)).is_stale
    assert signals.signal(metrics, NOW + timedelta(seconds=121)).is_stale
    assert signals.signal(METRICS.empty_table(), NOW).age is None


def test_the_signal_has_pace_lag_and_latency_of_the_newest_rows() -> None:
    rows = [batch(batch_time=NOW - timedelta(seconds=each), read=600) for each in (70, 30, 0)]
    signal = signals.signal(metrics_table(*rows), NOW)
    assert (signal.throughput, signal.lag, signal.p50, signal.p95) == (20.0, 14, 800.0, 900.0)


def test_a_lag_that_kafka_did_not_tell_is_not_zero() -> None:
    partitions = [{"partition": number, "lag": lag} for number, lag in enumerate((3, None))]
    assert signals.signal(metrics_table(batch(partitions=partitions)), NOW).lag is None
    assert signals.signal(metrics_table(batch(partitions=[])), NOW).lag is None


def test_the_accounts_add_up_or_say_by_how_much_not() -> None:
    counted = signals.accounts(metrics_table(batch(), batch(gaps=4, read=104), heartbeat(NOW)))
    assert (counted.read, counted.difference, counted.late) == (204, 0, 4)
    assert counted.by_reason == {"late": 4, "not_json": 2}
    assert signals.accounts(metrics_table(batch(read=101))).difference == 1


def test_the_course_has_a_row_a_step_and_sums_what_was_read() -> None:
    rows = [batch(batch_time=NOW - timedelta(seconds=each)) for each in (30, 45, 600)]
    frame = signals.course(metrics_table(*rows), SPAN)
    assert list(frame["pace"] * SPAN.step.total_seconds()) == [100, 200]
    assert list(frame["segment"]) == [0, 1]  # nothing for nine minutes: no line between
    lags = signals.lag_course(metrics_table(*rows), SPAN)
    assert sorted(set(lags["partition"])) == [0, 1]
    assert set(lags["lag"]) == {7.0}


def test_an_amount_that_rounds_to_nothing_has_a_place_on_the_logarithmic_axis() -> None:
    one_cent = alert(amount=Decimal("0.01"), currency="ISK", rate=Decimal("0.006900"))
    frame = series.amounts(alerts_table(one_cent, alert(threshold=Decimal(0))))
    shown = dict(zip(frame["in_euros"], frame["euros"], strict=True))
    assert shown == {"0.00 EUR": 0.01, "1,000.01 EUR": 1000.01}
    assert list(series.thresholds(alerts_table(alert(threshold=Decimal(0))))["euros"]) == [0.01]


def test_who_does_not_see_a_bar_hears_its_rule_its_number_and_its_time() -> None:
    said = series.alerts_over_time(alerts_table(alert(), alert()), SPAN)["said"]
    assert list(said) == [f"High amount: 2 alerts from {NOW:%Y-%m-%d %H:%M:%S}"]


amounts = st.decimals(Decimal("0.01"), Decimal(10_000_000), places=2)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(["ann", "Anna", "a.n", "bob"]), amounts), min_size=1, max_size=20),
    st.sampled_from(["", "an", "A.", "%", "bob"]),
    st.one_of(st.none(), amounts),
    st.one_of(st.none(), amounts),
)
def test_a_filter_keeps_exactly_what_meets_all_its_conditions_newest_first(
    payments: list[tuple[str, Decimal]], user: str, least: Decimal | None, most: Decimal | None
) -> None:
    rows = [
        alert(user_id=name, amount=amount, detected_at=NOW - timedelta(seconds=number % 3))
        for number, (name, amount) in enumerate(payments)
    ]
    found = Filter(user=user, least=least, most=most).apply(alerts_table(*rows)).to_pylist()
    wanted = [
        row["alert_id"]
        for row in rows
        if user.lower() in row["user_id"].lower()
        and (least is None or row["amount"] >= least)
        and (most is None or row["amount"] <= most)
    ]
    assert sorted(row["alert_id"] for row in found) == sorted(wanted)
    times = [row["detected_at"] for row in found]
    assert times == sorted(times, reverse=True)


def test_a_choice_stays_among_the_choices_when_its_alerts_are_gone() -> None:
    assert cities(alerts_table(alert()), ["Paris"]) == ["Paris", "Zürich"]
    assert rules(alerts_table(alert()), ["Velocity"]) == ["High amount", "Velocity"]


def test_euros_are_exact_and_rounded_half_up() -> None:
    row = alert(amount=Decimal("0.05"), currency="XXX", rate=Decimal("0.100000"))
    assert alerts_table(row)["euros"].to_pylist() == [Decimal("0.01")]


def test_the_evidence_of_a_rule_with_a_window_says_what_was_counted() -> None:
    row = velocity(evidence_count=25, observed=Decimal(25))
    evidence = find(alerts_table(alert(), row), row["alert_id"])
    assert evidence is not None
    assert evidence.verdict == "25 payments within 60 s, more than the allowed 3 payments."
    assert evidence.shown == "The 4 newest of 25 contributing payments"
    assert evidence.window == (row["window_start"], row["window_end"])
    assert list(evidence.payments["role"]) == ["flagged"] + 3 * ["contributing"]
    assert ("Rule", "velocity, version 1") in evidence.facts


def test_the_evidence_of_a_rule_without_a_window_compares_euros() -> None:
    row = alert()
    evidence = find(alerts_table(row), row["alert_id"])
    assert evidence is not None
    assert evidence.verdict == "1,000.01 EUR, above the threshold of 1,000.00 EUR."
    assert evidence.window is None
    assert find(alerts_table(row), "another") is None


def test_evidence_without_payments_or_measures_is_still_shown() -> None:
    row = alert(evidence=None, evidence_count=None, observed=None, threshold=None, ingested_at=None)
    evidence = find(alerts_table(row), row["alert_id"])
    assert evidence is not None
    assert evidence.verdict == "The alert does not say what was observed."
    assert len(evidence.payments) == 0


def test_charts_of_hostile_strings_hold_them_as_data_only() -> None:
    text = "datum.x ? alert(1) : '</script>'"
    row = velocity(user_id=text, location=text, evidence=[payment(location=text, transaction_id=text)])
    table = alerts_table(row)
    evidence = find(table, row["alert_id"])
    assert evidence is not None
    for chart in (
        charts.top(series.top(table, "user_id", 10), "User"),
        charts.amounts(series.amounts(table), series.thresholds(table), SPAN),
        evidence_charts.payments(evidence),
    ):
        places = set(where(chart.to_dict(), text))
        assert places
        assert places <= {"datasets", "sort"}


def where(value: Any, text: str, place: str = "") -> list[str]:
    """The names of the parts of a chart that hold `text`."""
    if isinstance(value, dict):
        return [
            found
            for key, each in value.items()
            for found in where(each, text, place if place == "datasets" else key)
        ]
    if isinstance(value, list):
        return [found for each in value for found in where(each, text, place)]
    return [place] if isinstance(value, str) and text in value else []


def test_a_rule_keeps_its_colour_whatever_other_rules_there_are() -> None:
    alone = rule_colours(["velocity"])["velocity"]
    among = rule_colours(["a_rule", "velocity", "high_amount", "multiple_locations", "z_rule"])
    assert among["velocity"] == alone
    assert len(set(among.values())) == 5


@pytest.mark.parametrize("background", ["#ffffff", "#10161d"])
def test_colours_stand_out_on_light_and_dark(background: str) -> None:
    for colour in rule_colours(["high_amount", "velocity", "multiple_locations", "other", "z"]).values():
        assert contrast(colour, background) >= 3


# Machado, Oliveira, Fernandes (2009): how eyes without red and without green cones see linear RGB.
EYES = {
    "all": np.eye(3),
    "no red": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
    "no green": np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9690]]),
}


@pytest.mark.parametrize("eyes", EYES)
def test_colours_are_told_apart_by_colour_blind_eyes(eyes: str) -> None:
    def lab(colour: str) -> Any:
        """CIELAB of the colour as these eyes see it."""
        seen = np.clip(EYES[eyes] @ linear(colour), 0, 1)
        to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        xyz = to_xyz @ seen / np.array([0.9505, 1, 1.089])
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])

    assert min(float(np.linalg.norm(lab(a) - lab(b))) for a, b in combinations(LINES, 2)) > 25


def linear(colour: str) -> Any:
    """Linear RGB."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio."""

    def luminance(colour: str) -> float:
        return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (words.count(1234567), "1,234,567"),
        (words.money(Decimal("10000000.00"), "EUR"), "10,000,000.00 EUR"),
        (words.share(1, 3), "33.33%"),
        (words.share(1, 1_000_000), "0.0001%"),
        (words.share(0, 5), "0.00%"),
        (words.seconds(843), "0.84 s"),
        (words.size(3_200_000), "3.2 MB"),
        (words.duration(timedelta(seconds=125)), "2 min 5 s"),
        (words.duration(timedelta(days=1, hours=3, minutes=4)), "1 d 3 h"),
        (words.duration(timedelta(0)), "0 s"),
        (words.moment(datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)), "2026-01-02 03:04:05.678"),
        (words.rule_name("high_amount"), "High amount"),
        (words.rule_name("<b>"), "Other rule"),
        (words.measure(Decimal("4.00"), "velocity", in_euros=False), "4 payments"),
        (words.measure(Decimal("1.00"), "multiple_locations", in_euros=False), "1 place"),
        (words.measure(Decimal("4.00"), "my_rule", in_euros=False), "4"),
    ],
)
def test_numbers_are_written_for_people(shown: str, wanted: str) -> None:
    assert shown == wanted


def test_a_snapshot_of_nothing_has_figures_of_nothing() -> None:
    empty = Feed(MemoryStore()).snapshot(SPAN)
    assert [kpi.value for kpi in kpis(empty)][:3] == ["0", "0", "0"]
