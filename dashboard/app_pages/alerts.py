"""The alerts one by one: filters that live in the address, a table, a CSV file, and one alert's evidence."""

from functools import partial

import pyarrow as pa
import streamlit as st

from dashboard import csv_export, evidence_charts, filters, messages, session
from dashboard.evidence import Evidence, find
from dashboard.filters import SEVERITIES, Filter, cents
from dashboard.panels import show, status
from dashboard.series import within
from dashboard.words import count, measure, rule_name

SHOWN = 1000  # rows of the table at most; the CSV file has all

MOST_EUROS = 10_000_000_000.0  # the largest amount at the largest rate

COLOURS = {"critical": "red", "high": "orange", "medium": "yellow", "low": "blue"}


def page() -> None:
    """One refresh."""
    snapshot = session.snapshot()
    status(snapshot)
    if not snapshot.alerts.num_rows:
        if not snapshot.trouble:
            show(messages.nothing_yet())
        return
    alerts = within(snapshot.alerts, "detected_at", snapshot.span)
    found = _filters(alerts).apply(alerts)
    if not alerts.num_rows:
        show(messages.none_in_range(session.range_name(), snapshot.newest_alert))
    else:
        _table(found, alerts.num_rows)
    chosen = st.query_params.get("alert")
    if chosen:
        evidence = find(snapshot.alerts, chosen)
        if evidence:
            _evidence(evidence)
        else:
            show(messages.no_such_alert())


def _filters(alerts: pa.Table) -> Filter:
    """The widgets; each is a parameter of the address under its key."""
    chosen = st.session_state
    expander = st.expander("Filters", icon=":material/filter_alt:", expanded=True, key="filters")
    with expander, st.container(horizontal=True, vertical_alignment="bottom"):
        rules = st.multiselect(
            "Rule", filters.rules(alerts, chosen.get("rule", [])), key="rule", bind="query-params",
            placeholder="All rules", width=190, accept_new_options=True,
        )  # fmt: skip
        severities = st.multiselect(
            "Severity", SEVERITIES, key="severity", bind="query-params", placeholder="All", width=160,
            format_func=str.capitalize,
        )  # fmt: skip
        cities = st.multiselect(
            "City", filters.cities(alerts, chosen.get("city", [])), key="city", bind="query-params",
            placeholder="All cities", width=190, accept_new_options=True,
        )  # fmt: skip
        user = st.text_input(
            "User contains", key="user", bind="query-params", max_chars=64, width=170,
            placeholder="Part of a user id",
        )  # fmt: skip
        least, most = (
            st.number_input(
                label, 0.0, MOST_EUROS, None, 10.0, "%.2f", key=key, bind="query-params", width=130,
                placeholder="Any",
            )
            for label, key in (("From (EUR)", "from"), ("To (EUR)", "to"))
        )  # fmt: skip
    return Filter(rules, severities, user, cities, cents(least), cents(most))


def _table(found: pa.Table, of: int) -> None:
    shown = found.slice(0, SHOWN)
    first = f", the newest {count(SHOWN)} below" if found.num_rows > SHOWN else ""
    st.markdown(f"**{count(found.num_rows)}** of {count(of)} alerts{first}")
    ids = shown["alert_id"].to_pylist()
    chosen = st.query_params.get("alert")
    st.session_state["_ids"] = ids  # for the callback: rows are numbers, and move when alerts come
    st.session_state["table"] = {
        "selection": {"rows": [ids.index(chosen)] if chosen in ids else [], "columns": [], "cells": []}
    }
    st.dataframe(
        _rows(shown), key="table", on_select=_choose, selection_mode="single-row", hide_index=True,
        height=380, placeholder="",
        column_config={
            "Detected (UTC)": st.column_config.DatetimeColumn(
                format="YYYY-MM-DD HH:mm:ss", timezone="UTC", width=150
            ),
            "Euros": st.column_config.NumberColumn(format="%,.2f"),
            "Amount": st.column_config.NumberColumn(format="%,.2f"),
        },
        alt="The alerts that pass the filters, newest first",
    )  # fmt: skip
    # Below the table: its own toolbar floats over what is above it.
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("Select a row to see its evidence.", width="content")
        st.download_button(
            "Download CSV", partial(csv_export.to_csv, found), "fraud-alerts.csv", "text/csv",
            key="download", icon=":material/download:", on_click="ignore", disabled=not found.num_rows,
        )  # fmt: skip


def _rows(alerts: pa.Table) -> pa.Table:
    rules = [rule_name(each) for each in alerts["rule_id"].to_pylist()]
    rows = alerts.select(["rule_id", "observed", "threshold", "window_start"]).to_pylist()
    why = [
        " > ".join(
            measure(row[name], row["rule_id"], in_euros=row["window_start"] is None)
            for name in ("observed", "threshold")
        )
        if row["observed"] is not None and row["threshold"] is not None
        else ""
        for row in rows
    ]
    return pa.table(
        {
            "Detected (UTC)": alerts["detected_at"],
            "Rule": rules,
            "Severity": alerts["severity"],
            "User": alerts["user_id"],
            "Amount": alerts["amount"],
            "Currency": alerts["currency"],
            "Euros": alerts["euros"],
            "City": alerts["location"],
            "Observed > threshold": why,
            "Transaction": alerts["transaction_id"],
        }
    )


def _choose() -> None:
    """A row was selected or let go: the address says which alert."""
    rows = st.session_state["table"]["selection"]["rows"]
    if rows:
        st.query_params["alert"] = st.session_state["_ids"][rows[0]]
    elif "alert" in st.query_params:
        del st.query_params["alert"]


def _evidence(evidence: Evidence) -> None:
    with st.container(border=True, key="evidence"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(rule_name(evidence.rule_id), anchor=False, width="content")
            if evidence.severity in COLOURS:
                colour = COLOURS[evidence.severity]
                st.badge(evidence.severity.capitalize(), color=colour)  # type: ignore[arg-type]  # wants literals
        with st.container(key="verdict"):
            st.text(evidence.verdict)
        left, right = st.columns([2, 3], gap="medium")
        with left, st.container(key="facts", gap="xsmall"):
            for name, value in evidence.facts:
                with st.container(horizontal=True, gap="xsmall"):
                    st.caption(name, width=150)
                    st.text(value)
        with right:
            if evidence.window is None:
                chart, alt = evidence_charts.threshold(evidence), "What was observed against the threshold"
                st.altair_chart(chart, alt=alt)
            elif len(evidence.payments):
                chart, alt = evidence_charts.payments(evidence), "Payments over time, the window shaded"
                st.altair_chart(chart, alt=alt)
            st.markdown(f"**{evidence.shown}**")
            table = evidence.payments.drop(columns="time")
            st.dataframe(
                table, hide_index=True, key="payments", placeholder="",
                column_config={
                    "when": "Paid (UTC)", "transaction": "Transaction", "city": "City", "amount": "Amount",
                    "role": "Role",
                },
            )  # fmt: skip


session.follow(page)
