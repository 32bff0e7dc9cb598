"""The dashboard's pages, run by Streamlit's own tester over a store in memory."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import feed as feeds
from dashboard import session
from dashboard.feed import Feed
from dashboard.identity import HEADER, ServedKeys
from dashboard.store import DeniedError, NoBucketError, StoreError, UnreachableError
from fraud.settings import LoginSettings, Settings, SettingsError
from tests.alert_store import MemoryStore, alert, batch, payment, velocity
from tests.load_balancer import NOW, SIGNER, LoadBalancer

ROOT = Path(__file__).resolve().parents[2]
APP = str(ROOT / "dashboard" / "streamlit_app.py")
PAGES = ("overview", "alerts", "health")
BALANCER = LoadBalancer()

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "**bold** _it_ # heading",
    ":material/delete: :red[x] :smile:",
    "$\\frac{1}{2}$",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe",
    "مرحبا",
    "🙂👩‍👩‍👧",
    "datum.x); alert(1",
    "x" * 64,
)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def open_page(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Opens a page by name, with parameters of its address."""
    st.cache_resource.clear()
    monkeypatch.setattr(feeds, "TIME_FOR_READING", 60.0)  # whatever else the machine does
    feed = Feed(store)
    monkeypatch.setattr(session, "settings", Settings)
    monkeypatch.setattr(session, "feed", lambda: feed)

    def opened(page: str, **parameters: str | list[str]) -> AppTest:
        app = AppTest.from_file(APP, default_timeout=60)
        for name, value in parameters.items():
            app.query_params[name] = value
        if page != "overview":
            app.switch_page(f"app_pages/{page}.py")
        return app.run()

    yield opened
    st.cache_resource.clear()


def now() -> datetime:
    """The pages look at the clock: so do these tests, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def filled(store: MemoryStore, **changes: Any) -> list[dict[str, Any]]:
    """Two alerts of a minute ago, and a micro-batch."""
    at = now() - timedelta(minutes=1)
    rows = [alert(detected_at=at, **changes), velocity(detected_at=at, **changes)]
    store.put_alerts(rows, 1, at)
    store.put_metrics([batch(batch_time=at)], at)
    return rows


def texts(app: AppTest) -> str:
    """All that is rendered as markdown or as a message."""
    elements = [*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.title, *app.subheader]
    return "\n".join(str(each.value) for each in elements)


def assert_no_accident(app: AppTest) -> None:
    assert not app.exception
    assert "could not be drawn" not in texts(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_full_store_shows_each_page(
    store: MemoryStore, open_page: Callable[..., AppTest], page: str
) -> None:
    filled(store)
    app = open_page(page)
    assert_no_accident(app)
    assert not app.error
    assert not app.info
    assert app.title[0].value == page.capitalize()
    assert "Newest batch or heartbeat" in texts(app)


def test_the_overview_s_figures_are_those_of_the_store(
    store: MemoryStore, open_page: Callable[..., AppTest]
) -> None:
    filled(store)
    shown = {metric.label: metric.value for metric in open_page("overview").metric}
    assert shown == {
        "Alerts": "2",
        "Users flagged": "1",
        "Evaluated": "95",
        "Alert share": "2.11%",
        "Latency p50": "0.80 s",
        "Latency p95": "0.90 s",
    }


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_bucket_says_so_and_the_first_alert_appears_by_itself(
    store: MemoryStore, open_page: Callable[..., AppTest], page: str
) -> None:
    app = open_page(page)
    assert_no_accident(app)
    assert "No alerts yet: is the job running?" in app.info[0].value
    filled(store)
    app.run()
    assert_no_accident(app)
    assert not app.info


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (UnreachableError("connection refused"), "cannot be reached"),
        (DeniedError("SignatureDoesNotMatch"), "refuses the dashboard's keys"),
        (NoBucketError("NoSuchBucket"), "bucket does not exist"),
    ],
)
def test_trouble_is_told_plainly_and_ends_by_itself(
    store: MemoryStore, open_page: Callable[..., AppTest], trouble: StoreError, says: str
) -> None:
    store.trouble = trouble
    app = open_page("alerts")
    assert_no_accident(app)
    assert says in app.error[0].value
    assert str(trouble) in app.code[0].value
    assert "Traceback" not in texts(app)
    store.trouble = None
    filled(store)
    app.run()
    assert_no_accident(app)
    assert not app.error


def test_an_outage_keeps_the_last_figures_and_says_that_they_are_old(
    store: MemoryStore, open_page: Callable[..., AppTest]
) -> None:
    filled(store)
    app = open_page("overview")
    store.trouble = UnreachableError("connection refused")
    app.run()
    assert "What you see was read before." in app.error[0].value
    assert app.metric[0].value == "2"
    assert "The newest that could be read of the job is" in texts(app)


def test_wrong_settings_are_told_with_the_variable(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong() -> Settings:
        raise SettingsError(["FRAUD_S3_BUCKET is 'A_b': it must match ..."])

    monkeypatch.setattr(session, "settings", wrong)
    app = open_page("overview")
    assert not app.exception
    assert "settings are wrong" in app.error[0].value
    assert "FRAUD_S3_BUCKET is 'A_b'" in app.code[0].value


def test_a_damaged_file_is_counted_and_the_rest_is_shown(
    store: MemoryStore, open_page: Callable[..., AppTest]
) -> None:
    filled(store)
    key = store.put_alerts([alert(detected_at=now())], 2, now())
    store.objects[key] = (b"PAR1 half", "1")
    app = open_page("overview")
    assert_no_accident(app)
    assert "1 file could not be read" in app.warning[0].value
    assert app.metric[0].value == "2"


def test_silence_of_the_job_is_called_stale(store: MemoryStore, open_page: Callable[..., AppTest]) -> None:
    at = now() - timedelta(minutes=3)
    store.put_metrics([batch(batch_time=at)], at)
    app = open_page("health")
    assert "Nothing from the job for **3 min" in texts(app)


def test_alerts_that_are_older_than_the_range_lead_to_a_longer_one(
    store: MemoryStore, open_page: Callable[..., AppTest]
) -> None:
    at = now() - timedelta(minutes=20)
    store.put_alerts([alert(detected_at=at)], 1, at)
    assert "No alerts in the last 15 minutes" in open_page("alerts", range="15m").info[0].value
    assert not open_page("alerts", range="1h").info


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        ({}, 2),
        ({"rule": ["Velocity"]}, 1),
        ({"rule": ["Velocity", "High amount"]}, 2),
        ({"rule": ["No such rule"]}, 0),
        ({"severity": ["High"]}, 1),
        ({"city": ["Paris"]}, 0),
        ({"user": "AN"}, 2),
        ({"user": "bob"}, 0),
        ({"from": "1000.01"}, 1),
        ({"to": "1000"}, 1),
        ({"from": "1e300"}, 2),
        ({"from": "nan", "to": "many", "range": "9y", "severity": ["<b>"]}, 2),
    ],
)
def test_the_address_holds_the_filters(
    store: MemoryStore, open_page: Callable[..., AppTest], parameters: dict[str, Any], rows: int
) -> None:
    filled(store)
    app = open_page("alerts", **parameters)
    assert_no_accident(app)
    assert f"**{rows}** of 2 alerts" in texts(app)
    assert len(app.dataframe[0].value) == rows


def test_a_link_to_an_alert_shows_its_evidence(store: MemoryStore, open_page: Callable[..., AppTest]) -> None:
    _, row = filled(store)
    app = open_page("alerts", alert=row["alert_id"])
    assert_no_accident(app)
    said = [each.value for each in app.text]
    assert "4 payments within 60 s, more than the allowed 3 payments." in said
    assert "velocity, version 1" in said
    payments = app.dataframe[1].value
    assert list(payments["role"]) == ["flagged", "contributing", "contributing", "contributing"]


def test_a_link_to_an_alert_that_is_not_here_says_so(
    store: MemoryStore, open_page: Callable[..., AppTest]
) -> None:
    filled(store)
    app = open_page("alerts", alert="</script>")
    assert "is not here" in app.warning[0].value


def test_strings_of_anybody_never_reach_a_place_that_interprets_them(
    store: MemoryStore, open_page: Callable[..., AppTest]
) -> None:
    rows = [
        filled(
            store, user_id=text, location=text, transaction_id=text, rule_id=text, severity=text,
            currency=text, evidence=[payment(location=text, transaction_id=text)],
        )[0]
        for text in HOSTILE
    ]  # fmt: skip
    store.put_alerts(rows, 1, rows[0]["detected_at"])
    assert_inert(open_page("overview"))
    app = open_page("alerts")
    assert_inert(app)
    assert set(app.dataframe[0].value["User"]) == set(HOSTILE)
    for row in rows:
        app.query_params["alert"] = row["alert_id"]
        assert_inert(app.run())
        assert row["user_id"] in [each.value for each in app.text]


def assert_inert(app: AppTest) -> None:
    """No hostile string in markdown, in a message, in a metric; nothing that allows HTML."""
    assert_no_accident(app)
    shown = texts(app) + "".join(f"{each.label}{each.value}{each.delta}{each.help}" for each in app.metric)
    assert [text for text in HOSTILE if text in shown] == []
    assert not any(getattr(element.proto, "allow_html", False) for element in app.main)


def test_money_on_the_page_is_exact(store: MemoryStore, open_page: Callable[..., AppTest]) -> None:
    at = now() - timedelta(seconds=5)
    row = alert(detected_at=at, amount=Decimal("9999999.99"), currency="USD", rate=Decimal("0.862"))
    store.put_alerts([row], 1, at)
    app = open_page("alerts", alert=row["alert_id"])
    assert "9,999,999.99 USD = 8,619,999.99 EUR, rate 0.862000" in [each.value for each in app.text]
    assert str(app.dataframe[0].value["Euros"][0]) == "8619999.99"


# --- who is signed in --------------------------------------------------------------------------------------


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`sign_in(token, now)`: what the load balancer sends with a tab, and the time. None: no such header."""
    settings = Settings(login=LoginSettings(signer=SIGNER))

    def sent(token: str | None, now: float = NOW) -> None:
        monkeypatch.setattr(session, "settings", lambda: settings)
        monkeypatch.setattr(session, "served_keys", lambda _: lambda _: BALANCER.public_key)
        monkeypatch.setattr(session, "time", SimpleNamespace(time=lambda: now))
        monkeypatch.setattr(type(st.context), "headers", {} if token is None else {HEADER: token})

    return sent


def said_of_it(app: AppTest) -> list[str]:
    """What the page says of who is signed in, where nothing interprets it."""
    assert_no_accident(app)
    assert app.title
    assert "Signed in" not in texts(app)
    return [text for each in app.text if (text := str(each.value)).startswith("Signed in")]


@pytest.mark.parametrize(
    ("page", "name"),
    [*((page, "ann@example.com") for page in PAGES), *(("overview", text) for text in HOSTILE)],
)
def test_who_is_signed_in_is_shown_as_it_is(
    open_page: Callable[..., AppTest], sign_in: Callable[..., None], page: str, name: str
) -> None:
    sign_in(BALANCER.token({"email": name}))
    assert said_of_it(open_page(page)) == [f"Signed in: {name}"]


def test_where_nobody_signs_in_nothing_is_said_of_it(
    open_page: Callable[..., AppTest], sign_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(BALANCER.token())
    monkeypatch.setattr(session, "settings", Settings)
    assert said_of_it(open_page("overview")) == []


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (None, "no header"),
        (BALANCER.token(exp=NOW - 1), "expired"),
        (BALANCER.token(signer=f"{SIGNER}0"), "another load balancer"),
        (LoadBalancer().token(), "InvalidSignatureError"),
    ],
    ids=["absent", "expired", "of another signer", "forged"],
)
def test_who_is_not_verified_is_called_so_and_the_log_says_why(
    store: MemoryStore, open_page: Callable[..., AppTest], sign_in: Callable[..., None],
    caplog: pytest.LogCaptureFixture, token: str | None, says: str,
) -> None:  # fmt: skip
    filled(store)
    sign_in(token)
    app = open_page("overview")
    assert said_of_it(app) == ["Signed in: unverified"]
    assert app.metric[0].value == "2"
    app.run()
    (line,) = [record.getMessage() for record in caplog.records if record.name == "dashboard.session"]
    assert says in line


def test_the_page_works_while_the_server_of_keys_is_away(
    open_page: Callable[..., AppTest], sign_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    sign_in(BALANCER.token())
    monkeypatch.setattr(session, "served_keys", lambda _: ServedKeys("http://127.0.0.1:9"))
    assert said_of_it(open_page("overview")) == ["Signed in: unverified"]
    assert "the keys at http://127.0.0.1:9 cannot be had" in caplog.text


def test_a_log_in_lasts_as_long_as_the_tab_and_another_one_is_judged_anew(
    open_page: Callable[..., AppTest], sign_in: Callable[..., None]
) -> None:
    token = BALANCER.token()
    sign_in(token)
    app = open_page("overview")
    sign_in(token, NOW + 3600)
    assert said_of_it(app.run()) == ["Signed in: ann@example.com"]
    sign_in(BALANCER.token({"email": "bob@example.com"}))
    assert said_of_it(app.run()) == ["Signed in: bob@example.com"]
    sign_in(None)
    assert said_of_it(app.run()) == ["Signed in: unverified"]
