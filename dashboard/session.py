"""What a process shares (settings, the feed) and what a tab has chosen (range, auto-refresh)."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps

import streamlit as st

from dashboard.feed import Feed, Snapshot
from dashboard.identity import HEADER, ServedKeys, UnverifiedError, address_of_keys, verified
from dashboard.spans import DEFAULT_RANGE, RANGES, last
from dashboard.store import S3Store
from fraud.environment import load
from fraud.settings import Settings

_LOG = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two refreshes."""

UNVERIFIED = "unverified"


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """Read once a process. Raises SettingsError."""
    return load()


@st.cache_resource(show_spinner=False)
def feed() -> Feed:
    """One for all sessions. Raises SettingsError."""
    return Feed(S3Store(settings().object_store))


@st.cache_resource(show_spinner=False)
def served_keys(signer: str) -> ServedKeys:
    """One for all sessions."""
    return ServedKeys(address_of_keys(signer))


def signed_in() -> str | None:
    """Who has opened this tab, or UNVERIFIED; None where nobody signs in.

    Judged once, when the tab connects: what the load balancer signs is good for minutes, a tab for hours.
    """
    signer = settings().login.signer
    if signer is None:
        return None
    token = st.context.headers.get(HEADER)
    judged: tuple[str | None, str] | None = st.session_state.get("_judged")
    if judged is None or judged[0] != token:
        judged = st.session_state["_judged"] = (token, _judged(token, signer))
    return judged[1]


def _judged(token: str | None, signer: str) -> str:
    try:
        return verified(token, signer, served_keys(signer), time.time())
    except UnverifiedError as error:
        _LOG.warning("it is not verified who is signed in: %s", error)
        return UNVERIFIED


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
