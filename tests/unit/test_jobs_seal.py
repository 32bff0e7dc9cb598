"""Damage to a checkpoint is found before anything is judged by it, and the message says what to do."""

import pytest

from fraud.generations import Generation
from fraud.rules_file import load_rules
from fraud.settings import DEFAULT_RULES, Settings, SettingsError
from jobs.detect.errors import SETTINGS, JobError
from jobs.detect.lease import Lease
from jobs.detect.resumption import stored_generations
from jobs.detect.seal import Seal, check_seal
from tests.unit.test_jobs_accounting import LOG, InMemoryFiles, entry

WHERE = "/checkpoint/c"


def generation(number: int, first_batch_id: int) -> Generation:
    return Generation(
        number=number,
        first_batch_id=first_batch_id,
        allowed_lateness=600_000,
        retention=900_000,
        clock_skew=300_000,
        rules=load_rules(DEFAULT_RULES),
    )


def sealed_checkpoint(batch_id: int = 1) -> InMemoryFiles:
    """After a micro-batch of generation 1; generation 2 is for the next one."""
    generations = [generation(1, 0), generation(2, batch_id + 1)]
    stored = {f"generations/{each.number}.json": each.model_dump_json() for each in generations}
    files = InMemoryFiles(
        {**LOG, **stored, "identity.json": '{"checkpoint_id": "0"}', "metadata": '{"id": "0"}'}
    )
    Seal(files, "identity.json", generations).put(batch_id)
    return files


def refusal(files: InMemoryFiles) -> str:
    with pytest.raises(SettingsError) as refused:
        check_seal(files, WHERE)
    return "; ".join(refused.value.problems)


def test_an_unchanged_checkpoint_passes_with_a_seal_and_without() -> None:
    check_seal(sealed_checkpoint(), WHERE)
    check_seal(InMemoryFiles(LOG), WHERE)
    check_seal(InMemoryFiles({}), WHERE)


@pytest.mark.parametrize(
    "name", ["offsets/0", "offsets/1", "identity.json", "metadata", "generations/1.json"]
)
def test_one_changed_digit_in_a_file_that_decides_is_refused(name: str) -> None:
    files = sealed_checkpoint()
    assert "0" in files.files[name]
    files.files[name] = files.files[name].replace("0", "1", 1)
    said = refusal(files)
    assert f"{WHERE}/{name} is damaged: restore the checkpoint from a copy" in said
    assert "--take-over" in said


def test_where_the_first_micro_batch_began_is_sealed_too() -> None:
    files = sealed_checkpoint(batch_id=0)
    files.files["sources/0/0"] = files.files["sources/0/0"].replace("5", "6")
    assert "sources/0/0 is damaged" in refusal(files)


def test_a_file_that_is_gone_is_refused() -> None:
    files = sealed_checkpoint()
    del files.files["offsets/1"]
    assert "offsets/1 is gone" in refusal(files)


def test_a_seal_that_cannot_be_read_is_refused() -> None:
    files = sealed_checkpoint()
    files.files["seal.json"] = files.files["seal.json"][:20]
    assert "seal.json is damaged" in refusal(files)


def test_a_generation_that_no_micro_batch_was_planned_under_may_still_be_replaced() -> None:
    files = sealed_checkpoint()
    files.files["generations/2.json"] = generation(2, 2).model_copy(update={"retention": 1}).model_dump_json()
    check_seal(files, WHERE)


def test_the_entry_of_a_micro_batch_that_had_not_begun_may_be_deleted() -> None:
    files = sealed_checkpoint()
    files.write("offsets/2", entry(3_000, {"0": 20})[:-5])
    assert f"{WHERE}/offsets/2 is damaged: delete it" in refusal(files)
    del files.files["offsets/2"]
    check_seal(files, WHERE)


@pytest.mark.parametrize("text", ["", "v1", 'v1\n{"nextBatch'])
def test_a_damaged_commit_may_be_deleted(text: str) -> None:
    files = sealed_checkpoint()
    files.write("commits/1", text)
    assert f"{WHERE}/commits/1 is damaged: delete it" in refusal(files)
    del files.files["commits/1"]
    check_seal(files, WHERE)


@pytest.mark.parametrize("text", ["", "v1\n{}", "v1\n[]\n7", "v1\n{}\n{}"])
def test_without_a_seal_a_damaged_offset_log_is_refused(text: str) -> None:
    assert "offsets/1 or the entry before it is damaged: restore" in refusal(
        InMemoryFiles(LOG | {"offsets/1": text})
    )


def test_a_damaged_generation_without_a_seal_is_refused() -> None:
    files = InMemoryFiles({"generations/1.json": generation(1, 0).model_dump_json()[:100]})
    with pytest.raises(SettingsError, match=r"generations/1\.json of the checkpoint is damaged"):
        stored_generations(files, load_rules(DEFAULT_RULES), Settings(), 3, lambda _: None)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"epoch": 1}', '{"epoch": "x", "holder": "y"}'])
def test_a_damaged_lease_ends_the_job_with_what_to_do(text: str) -> None:
    files = InMemoryFiles({})
    lease = Lease(files)
    files.files["lease.json"] = text
    for attempt in (lease.check, lambda: Lease(files)):
        with pytest.raises(JobError, match="when no other job runs on this checkpoint, delete it") as raised:
            attempt()
        assert raised.value.exit_code == SETTINGS


def test_a_seal_reads_only_what_it_has_not_read_before_and_writes_once() -> None:
    """On S3 each of these is a request, in every micro-batch."""
    reads: list[str] = []

    class Counting(InMemoryFiles):
        def read(self, name: str) -> str | None:
            reads.append(name)
            return super().read(name)

    files = Counting({**LOG, "identity.json": "i", "metadata": "m", "offsets/2": entry(3_000, {"0": 20})})
    seal = Seal(files, "identity.json")
    seal.put(1)
    assert sorted(reads) == ["identity.json", "metadata", "offsets/0", "offsets/1"]
    reads.clear()
    seal.put(2)
    assert reads == ["offsets/2"]
    check_seal(files, WHERE)
    assert "offsets/0" not in files.files["seal.json"]
