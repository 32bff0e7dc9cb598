"""The job's own process: a wrong setting ends it at once, before Spark, with one message a mistake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("module", ["jobs.compact", "jobs.detect", "jobs.init", "jobs.reconcile", "producer"])
def test_wrong_settings_end_a_process_with_exit_code_2_and_one_line_a_mistake(module: str) -> None:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "FRAUD_KAFKA_PARTITIONS": "none",
        "FRAUD_S3_BUCKET": "A_b",
        "FRAUD_TYPO": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", module],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 3, done.stderr
    for name in ("FRAUD_KAFKA_PARTITIONS", "FRAUD_S3_BUCKET", "FRAUD_TYPO"):
        assert sum(name in line for line in lines) == 1
    assert done.stdout == ""


def test_a_wrong_rule_file_ends_the_job_before_spark(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rules]]\nid = "velocity"\nkind = "velocity"\n[rates]\nEUR = 1\n', "utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "FRAUD_RULES_FILE": str(rules)}
    done = subprocess.run(
        [sys.executable, "-m", "jobs.detect"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "rule 'velocity', field 'threshold'" in done.stderr
    assert "Traceback" not in done.stderr
