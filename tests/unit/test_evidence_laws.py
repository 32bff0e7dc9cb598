"""What an alert says beside the pair: observed, evidence and times equal a naive look at all payments."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from fraud.detection import detect
from fraud.generations import Generation
from fraud.memory import Memory
from fraud.rules_file import load_rules
from scripts.oracle import read_rules
from scripts.oracle_records import Payment, Sent, read_payment
from tests.histories import BUCKETS, RULES, START, as_records, histories, rules_file

LONG = 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rules")


@given(rules=RULES, sent=histories())
@settings(max_examples=100)
def test_observed_evidence_and_times_are_those_of_all_payments_in_the_window(
    folder: Path, rules: list[dict[str, Any]], sent: list[Sent]
) -> None:
    path = rules_file(folder / "rules.toml", rules)
    generation = Generation(
        number=1,
        first_batch_id=0,
        allowed_lateness=LONG,
        retention=LONG,
        clock_skew=1000,
        rules=load_rules(path),
    )
    # The broker's time has an order of its own: later is not newer by event time.
    sent = [each._replace(timestamp=each.timestamp + 37 * place % 90) for place, each in enumerate(sent)]
    known: dict[tuple[str, str, int], tuple[Payment, int]] = {}
    for each in sorted(sent, key=lambda s: (s.partition, s.offset)):
        payment = read_payment(each, read_rules(path)["rates"], 1000, BUCKETS)
        if isinstance(payment, Payment):
            identity = (payment.user_id, payment.transaction_id, payment.timestamp)
            known.setdefault(identity, (payment, each.timestamp))

    alerts = detect(as_records(sent), Memory.empty(), [generation], 0, START + 500).alerts.to_pylist()

    by_id = {rule.id: rule for rule in generation.rules.rules}
    for alert in alerts:
        rule, time = by_id[alert["rule_id"]], milliseconds(alert["transaction_timestamp"])
        own = known[alert["user_id"], alert["transaction_id"], time]
        window = [own]
        if rule.window is not None:
            window = [
                (payment, arrived)
                for payment, arrived in known.values()
                if payment.user_id == alert["user_id"] and time - rule.window < payment.timestamp <= time
            ]
        evidence = [(each["location"], milliseconds(each["timestamp"])) for each in alert["evidence"]]
        times = sorted((payment.timestamp for payment, _ in window), reverse=True)
        newest = {
            place: max(payment.timestamp for payment, _ in window if payment.location == place)
            for place in {payment.location for payment, _ in window}
        }
        assert alert["evidence_count"] == len(window)
        assert milliseconds(alert["ingested_at"]) == max(arrived for _, arrived in window)
        assert milliseconds(alert["detected_at"]) == START + 500
        if rule.kind == "velocity":
            assert alert["observed"] == len(window)
            assert sorted((at for _, at in evidence), reverse=True) == times[: len(evidence)]
        if rule.kind == "multiple_locations":
            assert alert["observed"] == len(newest)
            assert dict(evidence) == newest


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
