"""What the pages have in common on the screen: the health line, messages, charts in cards."""

import streamlit as st

from dashboard import messages, session
from dashboard.axes import Chart
from dashboard.feed import Snapshot
from dashboard.messages import Message
from dashboard.signals import Signal, signal
from dashboard.words import NOTHING, count, duration, seconds


def status(snapshot: Snapshot) -> None:
    """The health line, and below it what is wrong with the figures, if anything is."""
    _health_line(signal(snapshot.metrics, snapshot.span.until), is_cut_off=snapshot.trouble is not None)
    with st.container(key="messages"):  # there also when empty, so that what is below keeps its place
        if snapshot.trouble:
            has_data = bool(snapshot.alerts.num_rows or snapshot.metrics.num_rows)
            show(messages.trouble(snapshot.trouble, session.settings().object_store, has_data=has_data))
        for note in messages.notes(snapshot):
            show(note)


def show(message: Message) -> None:
    """A box with the message; its detail as it is, whatever it holds."""
    icons = {"error": ":material/error:", "warning": ":material/warning:", "info": ":material/info:"}
    boxes = {"error": st.error, "warning": st.warning, "info": st.info}
    with st.container(key=f"message-{message.key}"):
        boxes[message.level](f"**{message.title}**  \n{message.advice}", icon=icons[message.level])
        if message.detail:
            st.code(message.detail, language=None, wrap_lines=True)


def chart_card(key: str, title: str, chart: Chart, alt_text: str) -> None:
    """A chart below its title, in a border."""
    with st.container(border=True, key=key):
        st.markdown(f"**{title}**")
        st.altair_chart(chart, width="stretch", alt=alt_text)


def _health_line(now: Signal, *, is_cut_off: bool) -> None:
    with st.container(key="health-line", horizontal=True, vertical_alignment="center", gap="small"):
        if now.age is None or is_cut_off:
            st.badge("No signal", icon=":material/radio_button_unchecked:", color="gray")
            if not is_cut_off:
                _say("The job has not written any metrics yet.")
            elif now.age is None:
                _say("How the job is doing cannot be read.")
            else:
                _say(f"The newest that could be read of the job is **{duration(now.age)}** old.")
            return
        if now.is_stale:
            st.badge("Stale", icon=":material/error:", color="red")
            st.caption(
                f"Nothing from the job for **{duration(now.age)}**: neither a micro-batch nor a heartbeat. "
                "It has stopped, or cannot write to the object store; its log says why."
            )
            return
        st.badge("Live", icon=":material/check_circle:", color="green")
        _say(f"Newest batch or heartbeat **{duration(now.age)}** ago")
        pace = NOTHING if now.throughput is None else f"{now.throughput:,.0f} records/s"
        _say(f"Throughput **{pace}**")
        _say(f"Lag **{count(now.lag)} records**")
        _say(f"Latency p50 **{seconds(now.p50)}**, p95 **{seconds(now.p95)}**")


def _say(text: str) -> None:
    st.caption(text, width="content")
