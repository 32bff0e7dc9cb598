"""Colours: a rule has the same one everywhere, told apart by colour-blind eyes, on light and dark."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A colour in charts, and the name under which .streamlit/config.toml gives it to texts."""

    hex: str
    name: str


ORANGE = Colour("#d97706", "orange")
BLUE = Colour("#3b82f6", "blue")
TEAL = Colour("#0d9488", "green")
MAGENTA = Colour("#c026d3", "violet")
GREY = Colour("#7c8a99", "gray")
ALARM = "#e5484d"

LINES = (BLUE.hex, ORANGE.hex, TEAL.hex, MAGENTA.hex, GREY.hex)

_KNOWN = {"high_amount": ORANGE, "velocity": BLUE, "multiple_locations": TEAL}
_OTHERS = (MAGENTA, GREY)


def rule_colours(rule_ids: Iterable[str]) -> dict[str, Colour]:
    """The colour of each rule; the rules that come with the project keep theirs."""
    ids = sorted(set(rule_ids), key=lambda rule_id: (rule_id not in _KNOWN, rule_id))
    others = [each for each in ids if each not in _KNOWN]
    return {each: _KNOWN.get(each) or _OTHERS[others.index(each) % len(_OTHERS)] for each in ids}
