"""The rules as data: what `rules.toml` may say, and which payments each kind flags.

A kind is one class with `observed` and `evidence`. It must be monotone: one more payment in the
history can only raise `observed` of the others. That is why each (rule, transaction) pair can be
sent once, as soon as its evidence has arrived.
"""

from abc import abstractmethod
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fraud.arrays import Integers
from fraud.currencies import CURRENCIES
from fraud.durations import Duration
from fraud.history import History

MAX_RULES = 63
"""A payment remembers the rules that flagged it as bits of one signed 64-bit integer."""

RATE_UNIT = 1_000_000
"""Rates are integers: millionths of a euro for one unit of the currency."""

RATE_DECIMALS = 6


def _number(value: object, info: ValidationInfo) -> object:
    """Only numbers are numbers in TOML; stored as JSON a decimal is text."""
    if isinstance(value, bool) or (isinstance(value, str) and info.mode != "json"):
        raise ValueError("a number is wanted, without quotes")
    return value


Number = Annotated[Decimal, BeforeValidator(_number)]


class BaseRule(BaseModel):
    """What every kind has, and the two questions that each kind answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    version: StrictInt = Field(ge=1)
    severity: Literal["low", "medium", "high", "critical"]
    enabled: StrictBool = True
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


class HighAmount(BaseRule):
    """Its amount in euros is greater than the threshold."""

    kind: Literal["high_amount"]
    threshold: Number = Field(ge=0, le=1_000_000_000, decimal_places=2)
    window: None = None

    @property
    def limit(self) -> int:
        return int(self.threshold * 100)

    def observed(self, history: History) -> Integers:
        # Rounded up to the cent: a whole number of cents is below x exactly when it is below ceil(x).
        return -(-history.amount * history.rate // RATE_UNIT)

    def evidence(self, history: History, flagged: Integers) -> list[Integers]:  # noqa: ARG002  (it rests on itself)
        return list(flagged.reshape(-1, 1))


class _CountInWindow(BaseRule):
    threshold: StrictInt = Field(ge=1, le=1_000_000)
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
    rates: dict[str, Number]

    @field_validator("rates")
    @classmethod
    def _rates_are_exact(cls, rates: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, rate in rates.items():
            if currency not in CURRENCIES:
                raise ValueError(f"{currency} is not an ISO 4217 currency")
            if not (0 < rate <= 1000 and _decimals(rate) <= RATE_DECIMALS):
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

    def rate_of(self, currency: str) -> int:
        """Millionths of a euro for one unit of `currency`; 0 when it has no rate."""
        return int(self.rates.get(currency, Decimal(0)) * RATE_UNIT)


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    digits = "".join(map(str, number.as_tuple().digits))
    trailing = len(digits) - len(digits.rstrip("0"))
    return max(0, -int(exponent) - trailing)
