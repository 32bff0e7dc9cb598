"""What a process shares (settings, the feed) and what a tab has chosen (range, auto-refresh)."""

from datetime import UTC, datetime

import streamlit as st

from dashboard.feed import Feed, Snapshot
from dashboard.spans import DEFAULT_RANGE, RANGES, last
from dashboard.store import S3Store
from fraud.environment import load
from fraud.settings import ObjectStoreSettings

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


def refresh_every() -> float | None:
    """Seconds; None while paused."""
    return EVERY if st.session_state.get("live", True) else None
