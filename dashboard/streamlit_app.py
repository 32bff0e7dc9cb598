"""The frame of every page: navigation, who is signed in, time range, auto-refresh."""

from pathlib import Path

import streamlit as st

from dashboard import session
from dashboard.messages import Message
from dashboard.panels import show
from dashboard.spans import DEFAULT_RANGE, RANGES
from fraud.settings import SettingsError

LOGO = str(Path(__file__).with_name("logo.svg"))


def main() -> None:
    """One run of the script."""
    st.set_page_config(page_title="Fraud alerts", page_icon=LOGO, layout="wide")
    page = st.navigation(
        [
            st.Page("app_pages/overview.py", title="Overview", icon=":material/monitoring:", default=True),
            st.Page("app_pages/alerts.py", title="Alerts", icon=":material/notifications:"),
            st.Page("app_pages/health.py", title="Health", icon=":material/ecg_heart:"),
        ],
        position="top",
    )
    st.logo(LOGO, size="medium")
    if not _settings_are_right():
        return
    _header(page.title)
    page.run()


def _settings_are_right() -> bool:
    try:
        session.settings()
    except SettingsError as error:
        show(
            Message(
                "error",
                "settings",
                "The dashboard's settings are wrong",
                "Set these variables right and start the dashboard again.",
                "\n".join(error.problems),
            )
        )
        return False
    return True


def _header(title: str) -> None:
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="header"
    ):
        st.title(title, anchor=False, width="content")
        with st.container(
            horizontal=True, vertical_alignment="center", width="content", key="controls", gap="medium"
        ):
            st.segmented_control(
                "Time range",
                list(RANGES),
                default=DEFAULT_RANGE,
                required=True,
                key="range",
                bind="query-params",
                label_visibility="collapsed",
            )
            if not st.session_state.get("live", True):
                st.button("Refresh", icon=":material/refresh:", key="refresh")
            st.toggle(
                "Auto-refresh",
                True,
                key="live",
                persist_state="session",
                help=f"Follow new alerts: refresh every {session.EVERY:.0f} seconds",
            )
            name = session.signed_in()
            if name is not None:
                st.text(f"Signed in: {name}", width="content")  # as it is, whatever it holds


main()
