"""Colours: a rule has the same one everywhere, told apart by colour-blind eyes, on light and dark."""

from collections.abc import Iterable

ORANGE = "#d97706"
BLUE = "#3b82f6"
TEAL = "#0d9488"
BROWN = "#a15936"
NAVY = "#366ba1"
GREY = "#7c8a99"
ALARM = "#e5484d"

LINES = (BLUE, ORANGE, TEAL, BROWN, NAVY)

_KNOWN = {"high_amount": ORANGE, "velocity": BLUE, "multiple_locations": TEAL}
_OTHERS = (BROWN, NAVY)


def rule_colours(rule_ids: Iterable[str]) -> dict[str, str]:
    """The colour of each rule; the rules that come with the project keep theirs."""
    ids = sorted(set(rule_ids), key=lambda rule_id: (rule_id not in _KNOWN, rule_id))
    others = [each for each in ids if each not in _KNOWN]
    return {each: _KNOWN.get(each) or _OTHERS[others.index(each) % len(_OTHERS)] for each in ids}
