"""The rules as data: what `rules.toml` may say, and which payments each kind flags.

A kind is one class with `observed` and `evidence`. It must be monotone: one more payment in the
history can only raise `observed` of the others. That is why each (rule, transaction) pair can be
sent once, as soon as its evidence has arrived.
"""

import tomllib
from abc import abstractmethod
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fraud.currencies import CURRENCIES
from fraud.durations import Duration
from fraud.history import History, Integers
from fraud.settings import SettingsError

MAX_RULES = 63
"""A payment remembers the rules that flagged it as bits of one signed 64-bit integer."""

RATE_UNIT = 1_000_000
"""Rates are integers: millionths of a euro for one unit of the currency."""


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    version: int = Field(ge=1)
    severity: Literal["low", "medium", "high", "critical"]
    enabled: bool = True
    description: str = Field(min_length=1, max_length=200)

    @property
    @abstractmethod
    def limit(self) -> int:
        """The threshold in hundredths, the unit of `observed`."""

    @abstractmethod
    def observed(self, history: History) -> Integers:
        """What is compared with `limit`, for each payment of `history`: hundredths of euros or of a count."""

    @abstractmethod
    def evidence(self, history: History, flagged: Integers) -> list[Integers]:
        """For each flagged payment the positions of what it rests on, itself first, then the newest."""


class HighAmount(_Rule):
    """Its amount in euros is greater than the threshold."""

    kind: Literal["high_amount"]
    threshold: Decimal = Field(ge=0, le=1_000_000_000, decimal_places=2)
    window: None = None

    @property
    def limit(self) -> int:
        return int(self.threshold * 100)

    def observed(self, history: History) -> Integers:
        # Rounded up to the cent: a whole number of cents is below x exactly when it is below ceil(x).
        return -(-history.amount * history.rate // RATE_UNIT)

    def evidence(self, history: History, flagged: Integers) -> list[Integers]:  # noqa: ARG002
        return list(flagged.reshape(-1, 1))


class _CountInWindow(_Rule):
    threshold: int = Field(ge=1, le=1_000_000)
    window: Annotated[Duration, Field(ge=1)]

    @property
    def limit(self) -> int:
        return self.threshold * 100


class Velocity(_CountInWindow):
    """More than `threshold` payments of the user in (t - window, t]."""

    kind: Literal["velocity"]

    def observed(self, history: History) -> Integers:
        start, end = history.window(self.window)
        return (end - start) * 100

    def evidence(self, history: History, flagged: Integers) -> list[Integers]:
        return history.newest(flagged, self.threshold + 1)


class MultipleLocations(_CountInWindow):
    """More than `threshold` distinct locations among the user's payments in (t - window, t]."""

    kind: Literal["multiple_locations"]

    def observed(self, history: History) -> Integers:
        return history.distinct_locations(self.window) * 100

    def evidence(self, history: History, flagged: Integers) -> list[Integers]:
        return history.newest_by_location(flagged, self.window)


Rule = Annotated[HighAmount | Velocity | MultipleLocations, Field(discriminator="kind")]


class RuleSet(BaseModel):
    """All rules and the rates they need, as one file says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Rule, ...] = Field(min_length=1, max_length=MAX_RULES)
    rates: dict[str, Decimal]

    @field_validator("rates")
    @classmethod
    def _rates_are_exact(cls, rates: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, rate in rates.items():
            if currency not in CURRENCIES:
                raise ValueError(f"{currency} is not an ISO 4217 currency")
            if not (0 < rate <= 1000 and rate * RATE_UNIT == int(rate * RATE_UNIT)):
                raise ValueError(
                    f"{currency} is {rate}: a rate is above 0, at most 1000, and has at most 6 decimals"
                )
        if rates.get("EUR") != 1:
            raise ValueError("EUR must be listed with rate 1: rates are euros for one unit")
        return rates

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [rule.id for rule in self.rules]
        for rule_id in sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"rule {rule_id!r} is there twice: each rule needs an id of its own")
        return self

    @property
    def longest_window(self) -> int:
        """Milliseconds; 0 when no enabled rule has a window."""
        return max((rule.window or 0 for rule in self.rules if rule.enabled), default=0)

    def rate_of(self, currency: str) -> int:
        """Millionths of a euro for one unit of `currency`; 0 when it has no rate."""
        return int(self.rates.get(currency, Decimal(0)) * RATE_UNIT)


def load_rules(path: Path) -> RuleSet:
    """The rules of a TOML file.

    Raises SettingsError with one problem a mistake, naming the file, the rule and the field.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise SettingsError([f"FRAUD_RULES_FILE is {str(path)!r}: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: not valid TOML: {error}"]) from None
    try:
        return RuleSet.model_validate(content)
    except ValidationError as error:
        problems = [
            _explain(path, content, mistake["loc"], mistake["msg"], mistake["input"])
            for mistake in error.errors()
        ]
        raise SettingsError(problems) from None


def _explain(
    path: Path, content: dict[str, object], loc: tuple[int | str, ...], message: str, given: object
) -> str:
    message = message.removeprefix("Value error, ")
    match loc:
        case ("rules", int(index), *rest):
            rules = content["rules"]
            rule = rules[index] if isinstance(rules, list) else {}
            name = repr(rule.get("id")) if isinstance(rule, dict) and "id" in rule else f"number {index + 1}"
            # pydantic puts the kind between the index and the field
            field = f", field {str(rest[-1])!r}" if rest else ""
            shown = "" if isinstance(given, dict) else f" (it is {given!r})"
            return f"{path}: rule {name}{field}: {message}{shown}"
        case ():
            return f"{path}: {message}"
        case _:
            return f"{path}: {'.'.join(str(part) for part in loc)}: {message}"
