"""The drills that need a lane and a seed only, for long runs."""

import os
from collections.abc import Callable

from tests.faults.changed_rules import changed_rules
from tests.faults.damage import damaged_checkpoint, full_disk
from tests.faults.judgement import Verdict
from tests.faults.neighbours import changing_surroundings
from tests.faults.poison import poisoned
from tests.faults.silence import silence
from tests.integration.lane import Lane

LANE_DRILLS: dict[str, tuple[Callable[[Lane, int], Verdict], int]] = {
    "damage": (damaged_checkpoint, 3),
    "poison": (poisoned, 5),
    "rules": (changed_rules, 4),
    "neighbours": (changing_surroundings, 4),
    "silence": (silence, 1),
} | ({"disk": (full_disk, 1)} if os.geteuid() == 0 else {})
"""Name -> (what to run, faults that it injects). Only root may mount a small disk."""
