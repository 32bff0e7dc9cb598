"""What a lane's checkpoint shows of its job from outside: planned, judged, committed."""

import re
from collections.abc import Iterator
from pathlib import Path

_STATE_FILE = re.compile(r"\.?(\d+)\.(?:delta|snapshot)(?:\..*tmp)?")


class Checkpoint:
    """Spark's files below the folder that FRAUD_CHECKPOINT names; micro-batch -1 is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def planned(self) -> int:
        """The newest micro-batch whose offsets are fixed."""
        return self._newest("offsets")

    def committed(self) -> int:
        """The newest micro-batch that will not be replayed."""
        return self._newest("commits")

    def state_begun(self) -> int:
        """The newest micro-batch of which a file of state is there, or in the making."""
        return max(self._state_versions(), default=0) - 1

    def _newest(self, name: str) -> int:
        paths = self._folder.glob(f"*/{name}/*")
        return max((int(path.name) for path in paths if path.name.isdecimal()), default=-1)

    def _state_versions(self) -> Iterator[int]:
        for path in self._folder.glob("*/state/0/*/*"):
            match = _STATE_FILE.fullmatch(path.name)
            if match:
                yield int(match[1])
