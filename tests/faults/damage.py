"""Drills on the checkpoint: damage to its files, and a disk without room for them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.checkpoint import CheckpointFolder, change_digit, cut, flip_bit
from tests.faults.judgement import Verdict, judged
from tests.integration.adversary import records
from tests.integration.lane import DEADLINE, Job, Lane

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
    before = folder.copied(lane.folder / "before")

    def started(damage: Callable[[Path], None], file: Path) -> Job:
        """A job on a copy of its own, of which that file is damaged."""
        own = folder.copied(lane.folder / damage.__name__)
        damage(own / file.relative_to(folder.base))
        return lane.start_job(FRAUD_CHECKPOINT=str(own), **SMALL)

    offsets, state, commit = folder.newest("offsets"), folder.newest_state(), folder.newest("commits")
    restore = "restore the checkpoint from a copy"
    with_damage = [  # they start together: none of them may write anything
        (started(change_digit, offsets), offsets, restore),
        (started(flip_bit, state), state, restore),
    ]
    cut(commit)
    with_damage.append((lane.start_job(**SMALL), commit, "delete it"))
    for job, file, remedy in with_damage:
        said = refusal(job)
        assert file.name in said, said
        assert remedy in said, said
    commit.unlink()

    job = lane.start_job(**SMALL)
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()

    folder.restore(before)  # nothing in it is damaged; it is only older than the bucket by now
    said = refusal(lane.start_job())
    assert "is an older copy of checkpoint" in said, said
    assert restore in said, said
    return judged(lane)


def refusal(job: Job, code: int = 2) -> str:
    """What a job says that must not go on."""
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
