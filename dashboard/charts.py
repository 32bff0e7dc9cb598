"""Figures into charts. Every string of the data is data: no format, field or expression is made of one, and
Vega escapes it in texts and tooltips."""

import altair as alt
import pandas as pd

from dashboard.axes import (
    Chart,
    count_axis,
    euro_axis,
    legend,
    name_axis,
    rule_colour,
    sized,
    time_axis,
)
from dashboard.palette import ALARM, BLUE, LINES
from dashboard.spans import Span

HEIGHT = 280
ROW = 26
FRAME = 50  # pixels of the axis


def alerts_over_time(frame: pd.DataFrame, span: Span) -> Chart:
    """Stacked bars, a colour a rule."""
    chart = (
        alt.Chart(frame)
        .mark_bar(clip=True)
        .encode(
            x=time_axis("start:T", span),
            x2="end:T",
            y=alt.Y("bottom:Q", title="Alerts", axis=count_axis()),
            y2="top:Q",
            color=rule_colour(frame, with_legend=True),
            description="said:N",
            tooltip=[
                alt.Tooltip("when:N", title="From (UTC)"),
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("alerts:Q", title="Alerts", format=","),
            ],
        )
    )
    return sized(chart, HEIGHT)


def top(frame: pd.DataFrame, what: str) -> Chart:
    """Bars across, the longest first, a colour a rule; `what` a name is, for the tooltip."""
    names = list(dict.fromkeys(frame["name"]))
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("name:N", title=None, sort=names, axis=name_axis()),
            x=alt.X("alerts:Q", title="Alerts", axis=count_axis()),
            color=rule_colour(frame, with_legend=False),
            order=alt.Order("rule:N"),
            tooltip=[
                alt.Tooltip("name:N", title=what),
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("alerts:Q", title="Alerts", format=","),
                alt.Tooltip("total:Q", title="Of all rules", format=","),
            ],
        )
    )
    return sized(chart, ROW * len(names) + FRAME)


def amounts(frame: pd.DataFrame, lines: pd.DataFrame, span: Span) -> Chart:
    """A point an alert over time and euros, and the thresholds in euros as lines."""
    points = (
        alt.Chart(frame)
        .mark_point(filled=True, size=45, opacity=0.7)
        .encode(
            x=time_axis("time:T", span),
            y=alt.Y("euros:Q", title="Amount (EUR, log)", scale=alt.Scale(type="log"), axis=euro_axis()),
            color=rule_colour(frame, with_legend=True),
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
        return sized(points, HEIGHT)
    rule = alt.Chart(lines).mark_rule(color=ALARM, strokeDash=[6, 4], strokeWidth=1.5)
    text = alt.Chart(lines).mark_text(color=ALARM, align="left", dx=4, dy=-6, fontWeight=600)
    line = alt.layer(
        rule.encode(y="euros:Q", tooltip=["label:N"]),
        text.encode(y="euros:Q", x=alt.value(0), text="label:N"),
    )
    return sized(alt.layer(points, line), HEIGHT)


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
        y=alt.Y("reason:N", title=None, sort=list(frame["reason"]), axis=name_axis(160)),
        x=alt.X("records:Q", title="Records", axis=count_axis()),
        tooltip=[
            alt.Tooltip("reason:N", title="Reason"),
            alt.Tooltip("records:Q", title="Records", format=","),
        ],
    )
    return sized(base.mark_bar(color=BLUE), ROW * len(frame) + FRAME)


def _lines(frame: pd.DataFrame, by: str, names: list[str], title: str, span: Span) -> Chart:
    chart = (
        alt.Chart(frame)
        .mark_line(point=alt.OverlayMarkDef(size=18), strokeWidth=1.8)
        .encode(
            x=time_axis("start:T", span),
            y=alt.Y(
                "value:Q", title=title, axis=alt.Axis(tickCount=5, format=",.3~f"), scale=alt.Scale(zero=True)
            ),
            color=alt.Color(
                f"{by}:N",
                title=None,
                scale=alt.Scale(domain=names, range=[LINES[i % len(LINES)] for i in range(len(names))]),
                legend=legend(columns=6) if len(names) > 1 else None,
            ),
            detail="segment:N",
            tooltip=[
                alt.Tooltip("when:N", title="From (UTC)"),
                alt.Tooltip(f"{by}:N", title="What"),
                alt.Tooltip("value:Q", title=title, format=",.4~f"),
            ],
        )
    )
    return sized(chart, 220)
