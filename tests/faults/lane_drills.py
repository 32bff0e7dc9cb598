"""The drills that need a lane and a seed only, for long runs."""

from collections.abc import Callable

from tests.faults.changed_rules import changed_rules
from tests.faults.damage import damaged_checkpoint
from tests.faults.judgement import Verdict
from tests.faults.neighbours import changing_surroundings
from tests.faults.poison import poisoned
from tests.faults.silence import silence
from tests.integration.lane import Lane

LANE_DRILLS: dict[str, tuple[Callable[[Lane, int], Verdict], int]] = {
    "damage": (damaged_checkpoint, 4),
    "poison": (poisoned, 5),
    "rules": (changed_rules, 4),
    "neighbours": (changing_surroundings, 4),
    "silence": (silence, 1),
}
"""Name -> (what to run, faults that it injects). Not `full_disk`: not everybody may mount one."""
