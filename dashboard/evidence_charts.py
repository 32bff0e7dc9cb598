"""One alert's evidence into a chart."""

from datetime import timedelta
from typing import Any

import altair as alt
import pandas as pd

from dashboard.axes import Chart, legend, name_axis, sized, time_axis
from dashboard.evidence import Evidence
from dashboard.palette import ALARM, BLUE, GREY
from dashboard.spans import Span


def payments(evidence: Evidence) -> Chart:
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
            x=time_axis("time:T", span),
            y=alt.Y("city:N", title=None, sort=cities, axis=name_axis()),
            color=alt.Color(
                "role:N",
                title=None,
                scale=alt.Scale(domain=["flagged", "contributing"], range=[ALARM, BLUE]),
                legend=legend(),
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
            area.encode(x=time_axis("start:T", span), x2="end:T"),
            edge.encode(x="start:T", strokeDash=alt.value([4, 4])),  # the open end
            edge.encode(x="end:T"),
            name.encode(x="start:T", y=alt.value(4), text="label:N"),
            points,
        ]
    return sized(alt.layer(*layers), 56 * len(cities) + 140)


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
    return sized(layers, 150)
