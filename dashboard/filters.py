"""Which alerts an analyst asked to see. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.contents import EUROS
from dashboard.words import rule_name

SEVERITIES = ("critical", "high", "medium", "low")
"""Worst first."""


@dataclass(frozen=True)
class Filter:
    """All that is set must hold. Amounts are in euros, both ends included."""

    rules: Sequence[str] = ()  # by name, as words.rule_name gives it
    severities: Sequence[str] = ()
    user: str = ""  # a part of the user's id, capital or not
    cities: Sequence[str] = ()
    least: Decimal | None = None
    most: Decimal | None = None

    def apply(self, alerts: pa.Table) -> pa.Table:
        """The alerts that pass, the newest first."""
        if self.rules:
            alerts = _among(
                alerts, "rule_id", [i for i in _values(alerts, "rule_id") if rule_name(i) in self.rules]
            )
        if self.severities:
            alerts = _among(alerts, "severity", self.severities)
        if self.cities:
            alerts = _among(alerts, "location", self.cities)
        if self.user:
            alerts = alerts.filter(pc.match_substring(alerts["user_id"], self.user, ignore_case=True))
        if self.least is not None:
            alerts = alerts.filter(pc.greater_equal(alerts["euros"], pa.scalar(self.least, EUROS.type)))
        if self.most is not None:
            alerts = alerts.filter(pc.less_equal(alerts["euros"], pa.scalar(self.most, EUROS.type)))
        # The id decides between alerts of one micro-batch, so that rows do not swap places at a refresh.
        return alerts.sort_by([("detected_at", "descending"), ("alert_id", "ascending")])


def rules(alerts: pa.Table, chosen: Sequence[str]) -> list[str]:
    """The names of the rules to choose from, sorted; what is chosen stays among them."""
    return sorted({rule_name(each) for each in _values(alerts, "rule_id")} | set(chosen))


def cities(alerts: pa.Table, chosen: Sequence[str]) -> list[str]:
    """The cities to choose from, the same."""
    return sorted({*_values(alerts, "location"), *chosen})


def cents(number: float | None) -> Decimal | None:
    """What was typed into a field with two decimals, exactly."""
    return None if number is None else Decimal(f"{number:.2f}")


def _values(alerts: pa.Table, column: str) -> list[str]:
    return [each for each in pc.unique(alerts[column]).to_pylist() if each is not None]


def _among(alerts: pa.Table, column: str, wanted: Sequence[str]) -> pa.Table:
    return alerts.filter(pc.is_in(alerts[column], pa.array(wanted, pa.string())))
