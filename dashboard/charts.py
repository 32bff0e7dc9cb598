"""Answers into charts (Vega-Lite by Altair). Every string of the data is data: no format, field or expression
is made of one, and Vega escapes it in texts and tooltips. Times are UTC."""

from datetime import timedelta
from typing import Any

import altair as alt
import pandas as pd

from dashboard.evidence import Evidence
from dashboard.palette import ALARM, BLUE, GREY, LINES, rule_colours
from dashboard.spans import Span

Chart = alt.Chart | alt.LayerChart
HEIGHT = 280
ROW = 26
FRAME = 50  # pixels of the axis
LABELS = 140
"""Pixels of a name on an axis; it is whole in the tooltip."""

# The beginning and the end of a long name: what ids differ in is mostly at the end.
_MIDDLE = "length(datum.label) > 22 ? slice(datum.label, 0, 11) + '…' + slice(datum.label, -9) : datum.label"


def alerts_over_time(frame: pd.DataFrame, span: Span) -> Chart:
    """Stacked bars, a colour a rule."""
    chart = (
        alt.Chart(frame)
        .mark_bar(clip=True)
        .encode(
            x=_time("start:T", span),
            x2="end:T",
            y=alt.Y("bottom:Q", title="Alerts", axis=_whole()),
            y2="top:Q",
            color=_by_rule(frame, legend=True),
            tooltip=[
                alt.Tooltip("when:N", title="From (UTC)"),
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("alerts:Q", title="Alerts", format=","),
            ],
        )
    )
    return _sized(chart, HEIGHT)


def top(frame: pd.DataFrame, what: str) -> Chart:
    """Bars across, the longest first, a colour a rule; `what` a name is, for the tooltip."""
    names = list(dict.fromkeys(frame["name"]))
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("name:N", title=None, sort=names, axis=_names()),
            x=alt.X("alerts:Q", title="Alerts", axis=_whole()),
            color=_by_rule(frame, legend=False),
            order=alt.Order("rule:N"),
            tooltip=[
                alt.Tooltip("name:N", title=what),
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("alerts:Q", title="Alerts", format=","),
                alt.Tooltip("total:Q", title="Of all rules", format=","),
            ],
        )
    )
    return _sized(chart, ROW * len(names) + FRAME)


def amounts(frame: pd.DataFrame, lines: pd.DataFrame, span: Span) -> Chart:
    """A point an alert over time and euros, and the thresholds in euros as lines."""
    points = (
        alt.Chart(frame)
        .mark_point(filled=True, size=45, opacity=0.7)
        .encode(
            x=_time("time:T", span),
            y=alt.Y("euros:Q", title="Amount (EUR, log)", scale=alt.Scale(type="log"), axis=_powers()),
            color=_by_rule(frame, legend=True),
            shape=alt.Shape("rule:N", legend=None),
            tooltip=[
                alt.Tooltip("when:N", title="Detected (UTC)"),
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("user:N", title="User"),
                alt.Tooltip("city:N", title="City"),
                alt.Tooltip("amount:N", title="Amount"),
                alt.Tooltip("in_euros:N", title="In euros"),
            ],
        )
    )
    if not len(lines):
        return _sized(points, HEIGHT)
    rule = alt.Chart(lines).mark_rule(color=ALARM, strokeDash=[6, 4], strokeWidth=1.5)
    text = alt.Chart(lines).mark_text(color=ALARM, align="left", dx=4, dy=-6, fontWeight=600)
    line = alt.layer(
        rule.encode(y="euros:Q", tooltip=["label:N"]),
        text.encode(y="euros:Q", x=alt.value(0), text="label:N"),
    )
    return _sized(alt.layer(points, line), HEIGHT)


def evidence(evidence: Evidence) -> Chart:
    """The payments on the time axis, a lane a city, the window shaded, the flagged one marked."""
    frame = evidence.payments.sort_values("role")  # the flagged one last: on top
    cities = list(dict.fromkeys(frame["city"]))
    first, last = frame["time"].min().to_pydatetime(), frame["time"].max().to_pydatetime()
    if evidence.window:
        first, last = min(first, evidence.window[0]), max(last, evidence.window[1])
    room = max((last - first) * 0.04, timedelta(seconds=1))
    span = Span(first - room, last + room)
    points = (
        alt.Chart(frame)
        .mark_point(filled=True, size=150, opacity=0.95)
        .encode(
            x=_time("time:T", span),
            y=alt.Y("city:N", title=None, sort=cities, axis=_names()),
            color=alt.Color(
                "role:N",
                title=None,
                scale=alt.Scale(domain=["flagged", "contributing"], range=[ALARM, BLUE]),
                legend=_legend(),
            ),
            shape=alt.Shape(
                "role:N", scale=alt.Scale(domain=["flagged", "contributing"], range=["diamond", "circle"])
            ),
            tooltip=[
                alt.Tooltip("when:N", title="Paid (UTC)"),
                alt.Tooltip("amount:N", title="Amount"),
                alt.Tooltip("city:N", title="City"),
                alt.Tooltip("transaction:N", title="Transaction"),
                alt.Tooltip("role:N", title="Role"),
            ],
        )
    )
    layers: list[Any] = [points]
    if evidence.window:
        start, end = evidence.window
        window = pd.DataFrame({"start": [start], "end": [end], "label": ["the rule's window"]})
        area = alt.Chart(window).mark_rect(color=BLUE, opacity=0.13)
        edge = alt.Chart(window).mark_rule(color=BLUE, strokeWidth=1.5)
        name = alt.Chart(window).mark_text(color=GREY, align="left", baseline="top", dx=6)
        layers = [
            area.encode(x=_time("start:T", span), x2="end:T"),
            edge.encode(x="start:T", strokeDash=alt.value([4, 4])),  # the open end
            edge.encode(x="end:T"),
            name.encode(x="start:T", y=alt.value(4), text="label:N"),
            points,
        ]
    return _sized(alt.layer(*layers), 56 * len(cities) + 140)


def threshold(evidence: Evidence) -> Chart:
    """What was observed as a bar against the threshold: for a rule without a window."""
    frame = pd.DataFrame(
        {
            "name": ["observed"],
            "value": [float(evidence.observed)],
            "limit": [float(evidence.threshold)],
            "observed": [f"{evidence.observed:,.2f} EUR"],
            "threshold": [f"{evidence.threshold:,.2f} EUR"],
            "label": [f"threshold {evidence.threshold:,.2f} EUR"],
        }
    )
    tips = [alt.Tooltip("observed:N", title="Observed"), alt.Tooltip("threshold:N", title="Threshold")]
    top = max(float(evidence.observed), float(evidence.threshold)) * 1.1
    x = alt.X("value:Q", title="Amount (EUR)", scale=alt.Scale(domain=[0, top]), axis=alt.Axis(tickCount=6))
    bar = alt.Chart(frame).mark_bar(color=BLUE, size=36)
    line = alt.Chart(frame).mark_rule(color=ALARM, strokeWidth=2, strokeDash=[6, 4])
    name = alt.Chart(frame).mark_text(color=ALARM, align="right", baseline="top", dx=-6, fontWeight=600)
    layers = alt.layer(
        bar.encode(x=x, y=alt.Y("name:N", title=None, axis=None), tooltip=tips),
        line.encode(x="limit:Q", tooltip=tips),
        name.encode(x="limit:Q", y=alt.value(4), text="label:N"),
    )
    return _sized(layers, 150)


def lines(frame: pd.DataFrame, names: dict[str, str], title: str, span: Span) -> Chart:
    """A line for each column in `names` (column -> what it is), over `start`; `title` has the unit."""
    long = frame.melt(["start", "when", "segment"], list(names), "column", "value").dropna(subset=["value"])
    long["name"] = long["column"].map(names)
    return _lines(long, "name", list(names.values()), title, span)


def lag(frame: pd.DataFrame, span: Span) -> Chart:
    """A line a partition."""
    names = list(dict.fromkeys(frame.sort_values("partition")["name"]))
    return _lines(frame.rename(columns={"lag": "value"}), "name", names, "Records waiting", span)


def reasons(by_reason: dict[str, int]) -> Chart:
    """Bars across: rejected records by reason."""
    frame = pd.DataFrame(
        {"reason": [each.replace("_", " ") for each in by_reason], "records": list(by_reason.values())}
    )
    base = alt.Chart(frame).encode(
        y=alt.Y("reason:N", title=None, sort=list(frame["reason"]), axis=_names(160)),
        x=alt.X("records:Q", title="Records", axis=_whole()),
        tooltip=[
            alt.Tooltip("reason:N", title="Reason"),
            alt.Tooltip("records:Q", title="Records", format=","),
        ],
    )
    return _sized(base.mark_bar(color=BLUE), ROW * len(frame) + FRAME)


def _lines(frame: pd.DataFrame, by: str, names: list[str], title: str, span: Span) -> Chart:
    chart = (
        alt.Chart(frame)
        .mark_line(point=alt.OverlayMarkDef(size=18), strokeWidth=1.8)
        .encode(
            x=_time("start:T", span),
            y=alt.Y(
                "value:Q", title=title, axis=alt.Axis(tickCount=5, format="~s"), scale=alt.Scale(zero=True)
            ),
            color=alt.Color(
                f"{by}:N",
                title=None,
                scale=alt.Scale(domain=names, range=[LINES[i % len(LINES)] for i in range(len(names))]),
                legend=_legend(columns=6) if len(names) > 1 else None,
            ),
            detail="segment:N",
            tooltip=[
                alt.Tooltip("when:N", title="From (UTC)"),
                alt.Tooltip(f"{by}:N", title="What"),
                alt.Tooltip("value:Q", title=title, format=",.4~f"),
            ],
        )
    )
    return _sized(chart, 220)


def _sized(chart: Any, height: int) -> Chart:
    # A layer, also of one: Vega-Lite leaves a gap between the legend and what is above it otherwise.
    sized: Chart = alt.LayerChart(layer=[chart]).properties(
        height=height, padding={"left": 0, "top": 5, "right": 5, "bottom": 0}
    )
    return sized


def _time(field: str, span: Span) -> alt.X:
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


def _by_rule(frame: pd.DataFrame, *, legend: bool) -> alt.Color:
    colours = rule_colours(frame["rule_id"])
    names = dict(zip(frame["rule_id"], frame["rule"], strict=True))
    return alt.Color(
        "rule:N",
        title=None,
        scale=alt.Scale(domain=[names[each] for each in colours], range=list(colours.values())),
        legend=_legend() if legend else None,
    )


def _legend(columns: int = 3) -> alt.Legend:
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


def _names(limit: int = LABELS) -> alt.Axis:
    """An axis of names, each of them shown."""
    return alt.Axis(labelLimit=limit, labelExpr=_MIDDLE, labelOverlap=False, ticks=False, domain=False)


def _powers() -> alt.Axis:
    """A logarithmic axis of euros: a line for each power of ten."""
    return alt.Axis(values=[10**power for power in range(-2, 8)], format="~s")


def _whole() -> alt.Axis:
    """An axis of whole numbers: no 0.5 alerts."""
    return alt.Axis(tickMinStep=1, tickCount=5, format=",d")
