"""Numbers, times and rules as people read them. Times are UTC. Pure."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

NOTHING = "\N{EN DASH}"

_UNITS = {"velocity": ("payment", "payments"), "multiple_locations": ("place", "places")}


def count(number: int | None) -> str:
    """1234 -> `1,234`."""
    return NOTHING if number is None else f"{number:,}"


def money(amount: Decimal | None, currency: str | None) -> str:
    """Exact, with its currency: `1,234.50 EUR`."""
    return NOTHING if amount is None else f"{amount:,.2f} {currency or ''}".strip()


def share(part: int, whole: int) -> str:
    """`0.42%`; small shares keep two digits that say something."""
    if whole == 0:
        return NOTHING
    percent = 100 * part / whole
    return f"{percent:.2f}%" if percent >= 0.01 or part == 0 else f"{percent:.2g}%"


def seconds(milliseconds: float | None) -> str:
    """843 -> `0.84 s`."""
    if milliseconds is None:
        return NOTHING
    return f"{milliseconds / 1000:,.2f} s" if milliseconds < 10_000 else f"{milliseconds / 1000:,.1f} s"


def size(number: int | None) -> str:
    """Bytes as `3.2 MB`."""
    if number is None:
        return NOTHING
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def duration(length: timedelta) -> str:
    """The two largest units: `2 h 5 min`, `45 s`."""
    total = max(0, int(length.total_seconds()))
    parts: list[tuple[int, str]] = []
    for unit, width in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        number, total = divmod(total, width)
        if number or parts:
            parts.append((number, unit))
    shown = [f"{number} {unit}" for number, unit in parts[:2] if number]
    return " ".join(shown) or "0 s"


def moment(time: datetime | None) -> str:
    """`2026-01-31 23:59:59.123`, UTC."""
    return NOTHING if time is None else f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d}"


def minute(time: datetime) -> str:
    """`2026-01-31 23:59 UTC`."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def rule_name(rule_id: str) -> str:
    """`high_amount` -> `High amount`; safe as a label: what cannot be a rule's id is `Other rule`."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", rule_id):
        return "Other rule"
    return rule_id.replace("_", " ").capitalize()


def measure(value: Decimal, rule_id: str, *, in_euros: bool) -> str:
    """An alert's `observed` or `threshold` with what it counts: `4 payments`, `1,000.01 EUR`."""
    if in_euros:
        return money(value, "EUR")
    number = f"{value:,.2f}".removesuffix(".00")
    one, many = _UNITS.get(rule_id, ("", ""))
    return f"{number} {one if value == 1 else many}".strip()


def change(now: float, before: float) -> str | float | None:
    """How far from before to now: `+12%`; the number 0 when it is the same, None when it cannot be said."""
    if now == before:
        return 0
    if before == 0:
        return f"+{now:,.0f}" if float(now).is_integer() else None
    percent = 100 * (now - before) / before
    if abs(percent) < 0.5:
        return 0
    return f"{percent:+,.0f}%" if percent < 1000 else f"{now / before:,.0f} times"
