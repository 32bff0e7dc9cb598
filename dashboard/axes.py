"""Axes, colours and sizes that the charts have in common (Vega-Lite by Altair). Times are UTC."""

from datetime import timedelta
from typing import Any

import altair as alt
import pandas as pd

from dashboard.palette import rule_colours
from dashboard.spans import Span

Chart = alt.Chart | alt.LayerChart

LABELS = 140
"""Pixels of a name on an axis; it is whole in the tooltip."""

# The beginning and the end of a long name: what ids differ in is mostly at the end.
_MIDDLE = "length(datum.label) > 22 ? slice(datum.label, 0, 11) + '…' + slice(datum.label, -9) : datum.label"


def sized(chart: Any, height: int) -> Chart:
    """The chart at `height` pixels and as wide as its place."""
    # A layer, also of one: Vega-Lite leaves a gap between the legend and what is above it otherwise.
    sized: Chart = alt.LayerChart(layer=[chart]).properties(
        height=height, padding={"left": 0, "top": 5, "right": 5, "bottom": 0}
    )
    return sized


def time_axis(field: str, span: Span) -> alt.X:
    """The time axis: UTC, and all of the span whatever there is in it."""
    domain = [span.since.isoformat(), span.until.isoformat()]  # numbers would not be taken for times
    return alt.X(
        field,
        title="Time (UTC)",
        scale=alt.Scale(type="utc", domain=domain),
        axis=alt.Axis(tickCount=6, labelOverlap=True, format=_clock(span)),
    )


def _clock(span: Span) -> str:
    if span.length > timedelta(hours=30):
        return "%d %b %H:%M"
    return "%H:%M" if span.length > timedelta(minutes=10) else "%H:%M:%S"


def rule_colour(frame: pd.DataFrame, *, with_legend: bool) -> alt.Color:
    """By rule (columns rule_id and rule), the same in every chart."""
    colours = rule_colours(frame["rule_id"])
    names = dict(zip(frame["rule_id"], frame["rule"], strict=True))
    return alt.Color(
        "rule:N",
        title=None,
        scale=alt.Scale(domain=[names[each] for each in colours], range=list(colours.values())),
        legend=legend() if with_legend else None,
    )


def legend(columns: int = 3) -> alt.Legend:
    """Above the chart, in rows that fit a narrow screen."""
    return alt.Legend(
        orient="top",
        columns=columns,
        offset=6,
        padding=0,
        columnPadding=10,
        labelFontSize=11,
        labelLimit=110,
        symbolSize=70,
    )


def name_axis(limit: int = LABELS) -> alt.Axis:
    """An axis of names, each of them shown."""
    return alt.Axis(labelLimit=limit, labelExpr=_MIDDLE, labelOverlap=False, ticks=False, domain=False)


def euro_axis() -> alt.Axis:
    """A logarithmic axis of euros: a line for each power of ten."""
    return alt.Axis(values=[10**power for power in range(-2, 8)], format=",~f")


def count_axis() -> alt.Axis:
    """An axis of whole numbers: no 0.5 alerts."""
    return alt.Axis(tickMinStep=1, tickCount=5, format=",d")
