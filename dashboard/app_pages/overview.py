"""The overview: how many alerts, of whom, where, and how fast."""

import streamlit as st

from dashboard import charts, messages, session
from dashboard.feed import Snapshot
from dashboard.kpis import Kpi, kpis
from dashboard.panels import chart_card, show, status
from dashboard.series import alerts_over_time, amounts, thresholds, top, within
from dashboard.spans import WORDS

TOP = 10


def page() -> None:
    """One refresh."""
    snapshot = session.snapshot()
    status(snapshot)
    if not snapshot.alerts.num_rows and not snapshot.metrics.num_rows:
        if not snapshot.trouble:
            show(messages.nothing_yet())
        return
    _kpi_row(kpis(snapshot))
    _charts(snapshot)


def _kpi_row(figures: list[Kpi]) -> None:
    name = WORDS[session.range_name()]
    with st.container(key="kpis", horizontal=True, gap="small"):
        for kpi in figures:
            with st.container(key=f"kpi-{kpi.key}", height="stretch"):
                st.metric(
                    kpi.label,
                    kpi.value,
                    kpi.change,
                    delta_color="inverse" if kpi.rising_is_bad else "blue",
                    delta_description="vs before" if kpi.change is not None else None,
                    help=f"{kpi.help}. The change is against the {name} before.",
                    border=True,
                    height="stretch",
                    chart_data=kpi.course,
                    chart_type="area",
                )


def _charts(snapshot: Snapshot) -> None:
    span = snapshot.span
    alerts = within(snapshot.alerts, "detected_at", span)
    if not alerts.num_rows:
        show(messages.none_in_range(session.range_name(), snapshot.newest_alert))
        return
    chart_card(
        "alerts-over-time", "Alerts over time by rule",
        charts.alerts_over_time(alerts_over_time(alerts, span), span),
        "Bars: number of alerts by rule over time",
    )  # fmt: skip
    left, right = st.columns(2)
    with left:
        chart_card(
            "top-users", f"Users with most alerts (top {TOP})",
            charts.top(top(alerts, "user_id", TOP), "User"), "Bars: the users with most alerts, by rule",
        )  # fmt: skip
    with right:
        chart_card(
            "top-cities", f"Cities with most alerts (top {TOP})",
            charts.top(top(alerts, "location", TOP), "City"), "Bars: the cities with most alerts, by rule",
        )  # fmt: skip
    chart_card(
        "amounts", "Amounts of the flagged payments",
        charts.amounts(amounts(alerts), thresholds(alerts), span),
        "Points: amounts in euros of the newest alerts over time, and the threshold as a line",
    )  # fmt: skip


session.follow(page)
