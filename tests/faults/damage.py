"""Drills on the checkpoint: damage to its files, and a disk without room for them."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.checkpoint import CheckpointFolder, change_digit, cut, flip_bit
from tests.faults.judgement import Verdict, judged
from tests.integration.adversary import records
from tests.integration.lane import DEADLINE, Lane

SMALL = {"FRAUD_MAX_OFFSETS_PER_TRIGGER": "3000"}


def damaged_checkpoint(lane: Lane, seed: int) -> Verdict:
    """Damage that goes unseen, or a copy of before, would make wrong alerts: each is refused with what to
    do, or healed."""
    content = list(records(9_000, seed, now=time.time_ns() // 1_000_000))
    lane.produce(content[:6_000])
    job = lane.start_job(**SMALL)
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    lane.produce(content[6_000:])
    folder = CheckpointFolder(lane)
    copy = folder.copied(lane.folder / "copy")

    for damage, file, remedy in (
        (change_digit, folder.newest("offsets"), "restore the checkpoint from a copy"),
        (flip_bit, folder.newest_state(), "restore the checkpoint from a copy"),
        (cut, folder.newest("commits"), "delete it"),
    ):
        damage(file)
        said = refused(lane)
        assert file.name in said, said
        assert remedy in said, said
        if remedy == "delete it":
            file.unlink()
        else:
            folder.restore(copy)

    job = lane.start_job(**SMALL)
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()

    folder.restore(copy)  # nothing in it is damaged; it is only older than the bucket by now
    said = refused(lane)
    assert "is an older copy of checkpoint" in said, said
    assert "restore the checkpoint from a copy" in said, said
    return judged(lane)


def refused(lane: Lane, *options: str, code: int = 2, **variables: str) -> str:
    """What a job says that must not go on."""
    job = lane.start_job(*options, **variables)
    assert job.process.wait(DEADLINE) == code, job.text()
    return job.text()


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A disk of that size, mounted at `folder`."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield folder
    finally:
        unmount = ["umount", "-l", str(folder)]
        subprocess.run(unmount, check=True, capture_output=True)


def full_disk(lane: Lane, seed: int, room: int = 16_384) -> Verdict:
    """The checkpoint's disk has `room` bytes left when a micro-batch comes; then somebody makes more.

    Needs the right to mount. Small room: the offset log does not fit any more; more of it: the state.
    """
    content = list(records(9_000, seed, now=time.time_ns() // 1_000_000))
    with small_disk(lane.folder / "disk", mebibytes=8) as disk:
        lane.environment["FRAUD_CHECKPOINT"] = str(disk / "checkpoint")
        lane.produce(content[:3_000])
        job = lane.start_job(**SMALL)
        lane.wait_until_caught_up(job)
        ballast = disk / "ballast"
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        ballast.write_bytes(b"x" * (free - room))
        lane.produce(content[3_000:])
        assert job.process.wait(DEADLINE) == 1, job.text()
        assert "a disk is full" in job.text(), job.text()
        assert "Make room where FRAUD_CHECKPOINT" in job.text(), job.text()
        ballast.unlink()
        job = lane.start_job(**SMALL)
        lane.wait_until_caught_up(job)
        assert job.end(signal.SIGTERM) == 0, job.text()
    return judged(lane)
