"""The pipeline's health: is it alive, does it keep up, do its accounts add up, what does it reject."""

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from dashboard import charts, messages, session
from dashboard.feed import Snapshot
from dashboard.panels import chart_card, show, status
from dashboard.quantiles import latency
from dashboard.series import within
from dashboard.signals import Accounts, accounts, course, lag_by_partition, lag_course, total_lag
from dashboard.words import count, seconds, share, size


def page() -> None:
    """One refresh."""
    snapshot = session.snapshot()
    status(snapshot)
    if not snapshot.metrics.num_rows:
        if not snapshot.trouble:
            show(messages.nothing_yet())
        return
    metrics = within(snapshot.metrics, "batch_time", snapshot.span)
    batches = metrics.filter(pc.equal(metrics["kind"], "batch"))
    if not metrics.num_rows:
        show(messages.silent_in_range(session.range_name()))
        return
    counted = accounts(batches)
    _figures(metrics, batches, counted)
    _accounts(counted)
    _charts(snapshot, metrics, batches, counted)


def _figures(metrics: pa.Table, batches: pa.Table, counted: Accounts) -> None:
    durations = batches["duration_ms"]
    middle = pc.quantile(durations, 0.5)[0].as_py() if batches.num_rows else None
    size_of_state, rows = pc.max(batches["state_bytes"]).as_py(), pc.max(batches["memory_rows"]).as_py()
    tiles = [
        ("read", "Records read", count(counted.read), "Offsets read in this range"),
        ("lag", "Lag now", count(total_lag(lag_by_partition(metrics))), "Records in Kafka not read yet"),
        ("micro-batch", "Micro-batch", seconds(middle), "Half of the micro-batches were at least this fast"),
        ("latency", "Latency p95", seconds(latency(batches, 95)), "From a payment's arrival to its alert"),
        ("late", "Late share", share(counted.late, counted.read), "Records too late to be judged"),
        ("state", "State", size(size_of_state), "The largest that one micro-batch touched, compressed"),
        ("memory", "In memory", count(rows), "Payments: the most that one micro-batch touched"),
    ]
    with st.container(key="health-figures", horizontal=True, gap="small"):
        for key, label, value, text in tiles:
            with st.container(key=f"tile-{key}"):
                st.metric(label, value, help=text, border=True, height="stretch")


def _accounts(counted: Accounts) -> None:
    with st.container(border=True, key="accounts"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Accounts: every record read is counted once**", width="content")
            if counted.difference == 0:
                st.badge("adds up", icon=":material/check:", color="green")
            else:
                st.badge(
                    f"{count(counted.difference)} not accounted for", icon=":material/error:", color="red"
                )
        parts = [
            (counted.read, "read ="), (counted.evaluated, "evaluated +"), (counted.duplicate, "duplicate +"),
            (counted.rejected, "rejected +"), (counted.gaps, "gaps +"), (counted.lost, "lost"),
        ]  # fmt: skip
        st.markdown(" ".join(f"**{count(number)}** {name}" for number, name in parts))
        st.caption(
            "Gaps are offsets without a record; lost are records that Kafka deleted before they were read."
        )


def _charts(snapshot: Snapshot, metrics: pa.Table, batches: pa.Table, counted: Accounts) -> None:
    span = snapshot.span
    steps = course(batches, span)
    cards = [
        ("throughput", "Throughput", charts.lines(steps, {"pace": "read"}, "Records a second", span)),
        ("lag", "Lag by partition", charts.lag(lag_course(metrics, span), span)),
        (
            "duration", "Duration of a micro-batch",
            charts.lines(
                steps.assign(duration_s=steps["duration_ms"] / 1000, slowest_s=steps["slowest_ms"] / 1000),
                {"duration_s": "median", "slowest_s": "slowest"}, "Seconds", span,
            ),
        ),
        (
            "latency", "Latency from event to alert",
            charts.lines(steps, {"p50": "p50", "p95": "p95", "p99": "p99"}, "Seconds", span),
        ),
        (
            "state", "State touched by a micro-batch",
            charts.lines(
                steps.assign(megabytes=steps["state_bytes"] / 1e6), {"megabytes": "state"}, "MB", span
            ),
        ),
        ("memory", "Payments in memory", charts.lines(steps, {"memory_rows": "payments"}, "Payments", span)),
    ]  # fmt: skip
    for pair in zip(cards[::2], cards[1::2], strict=True):
        for column, (key, title, chart) in zip(st.columns(2), pair, strict=True):
            with column:
                chart_card(f"chart-{key}", title, chart, f"Lines over time: {title.lower()}")
    if counted.by_reason:
        chart_card(
            "rejected", f"Rejected by reason ({count(counted.rejected)} records)",
            charts.reasons(counted.by_reason), "Bars: rejected records by reason",
        )  # fmt: skip


session.follow(page)
