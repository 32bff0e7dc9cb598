"""What a process shares (settings, the feed) and what a tab has chosen (range, auto-refresh)."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps

import streamlit as st

from dashboard.feed import Feed, Snapshot
from dashboard.spans import DEFAULT_RANGE, RANGES, last
from dashboard.store import S3Store
from fraud.environment import load
from fraud.settings import ObjectStoreSettings

_LOG = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two refreshes."""


@st.cache_resource(show_spinner=False)
def settings() -> ObjectStoreSettings:
    """Read once a process. Raises SettingsError."""
    return load().object_store


@st.cache_resource(show_spinner=False)
def feed() -> Feed:
    """One for all sessions. Raises SettingsError."""
    return Feed(S3Store(settings()))


def range_name() -> str:
    """The range that this tab looks at."""
    chosen = st.session_state.get("range")
    return chosen if chosen in RANGES else DEFAULT_RANGE


def snapshot() -> Snapshot:
    """What is known now of the chosen range; reads what is new."""
    return feed().snapshot(last(range_name(), datetime.now(UTC)))


def follow(page: Callable[[], None]) -> None:
    """Draw the page, and again and again unless paused; the rest of the app stays as it is."""
    every = EVERY if st.session_state.get("live", True) else None
    st.fragment(_guarded(page), run_every=every)()


def _guarded(page: Callable[[], None]) -> Callable[[], None]:
    @wraps(page)
    def guarded() -> None:
        try:
            page()
        except Exception:  # noqa: BLE001  (a mistake of ours: logged in full, told without a trace)
            _LOG.exception("the page could not be drawn")
            st.error(
                "**This page could not be drawn**  \n"
                "The dashboard's log says why. It tries again at the next refresh.",
                icon=":material/error:",
            )

    return guarded
