"""A lane's checkpoint on its local disk: what Spark and the job keep there, and damage done to it."""

import json
import shutil
from pathlib import Path

from tests.integration.lane import Lane


class CheckpointFolder:
    """The checkpoint of a lane whose job has started once."""

    def __init__(self, lane: Lane) -> None:
        self.base = Path(lane.settings.detection.checkpoint)
        (self.root,) = [path for path in self.base.iterdir() if path.name != "archive"]

    def newest(self, log: str) -> Path:
        """The newest entry of a log of Spark's: `offsets` or `commits`."""
        return newest_entry(self.root / log)

    def newest_state(self) -> Path:
        """The newest file of one partition of the state."""
        files = (path for path in (self.root / "state/0/0").iterdir() if not path.name.endswith(".crc"))
        return max(files, key=lambda path: path.stat().st_mtime_ns)

    def reached(self, log: str = "offsets") -> tuple[int, dict[int, int]]:
        """Of the newest entry of a log: number of the micro-batch, and partition -> where it ends."""
        number = self.newest(log).name
        text = (self.root / "offsets" / number).read_text("utf-8")
        (offsets,) = json.loads(text.strip().split("\n")[-1]).values()
        return int(number), {int(partition): int(offset) for partition, offset in offsets.items()}

    def copied(self, target: Path) -> Path:
        """A copy of all of it."""
        return shutil.copytree(self.base, target)

    def restore(self, copy: Path) -> None:
        """Make it what it was when copied."""
        shutil.rmtree(self.base)
        shutil.copytree(copy, self.base)


def newest_entry(log: Path) -> Path:
    """The newest entry of a log of Spark's, whosever checkpoint it is in."""
    return max((path for path in log.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


def cut(file: Path) -> None:
    """Leave half of it, as a machine does that loses its power."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip_bit(file: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(bytes(content))


def change_digit(file: Path) -> None:
    """Change the last digit of a text to another one: the text can be read as before."""
    text = file.read_text("utf-8")
    place = max(text.rfind(digit) for digit in "0123456789")
    file.write_text(text[:place] + str((int(text[place]) + 5) % 10) + text[place + 1 :], "utf-8")
