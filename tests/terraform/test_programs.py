"""The small programs, run for real: what starts the build, what makes certificates, what reads health."""

import importlib.util
import io
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError

import boto3
import pytest

from jobs.detect.metrics import metrics_key, to_parquet
from tests.terraform import account_folder
from tests.terraform.account_folder import opened_account
from tests.terraform.cloudformation import CloudFormation
from tests.terraform.codebuild import FILES as BUILD
from tests.terraform.mocked import ROOT

MODULES = ROOT / "terraform" / "modules"


def program(path: Path) -> ModuleType:
    """A program that lies outside the project's packages."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(cloudformation: CloudFormation, kind: str) -> dict[str, Any]:
    """A request of CloudFormation."""
    return {
        "RequestType": kind,
        "ResponseURL": cloudformation.address,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Build",
        "PhysicalResourceId": "fraud",
        "ResourceProperties": {"Project": "fraud", "SourceHash": "1"},
    }


class CodeBuild:
    """Starts builds, or refuses to."""

    def __init__(self, refusal: str | None = None) -> None:
        self.started: list[dict[str, Any]] = []
        self._refusal = refusal

    def start_build(self, **arguments: Any) -> None:
        if self._refusal:
            raise RuntimeError(self._refusal)
        self.started.append(arguments)


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_build_is_started_once_and_told_where_to_report(
    kind: str, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = CodeBuild()
    monkeypatch.setattr(boto3, "client", lambda _: builds)
    program(BUILD / "starter.py").handler(event(cloudformation, kind), None)
    (started,) = builds.started
    assert (started["projectName"], started["idempotencyToken"]) == ("fraud", "request")
    given = {each["name"]: each["value"] for each in started["environmentVariablesOverride"]}
    assert given["RESPONSE_URL"] == cloudformation.address
    assert cloudformation.reports == []  # the build itself reports


def test_a_build_that_cannot_be_started_is_reported_at_once(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3, "client", lambda _: CodeBuild("Cannot have more than 0 builds in queue"))
    program(BUILD / "starter.py").handler(event(cloudformation, "Create"), None)
    (report,) = cloudformation.reports
    assert report["Status"] == "FAILED"
    assert "more than 0 builds" in report["Reason"]
    assert (report["StackId"], report["RequestId"], report["LogicalResourceId"]) == (
        "stack",
        "request",
        "Build",
    )


def test_deleting_needs_no_build(cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    builds = CodeBuild()
    monkeypatch.setattr(boto3, "client", lambda _: builds)
    program(BUILD / "starter.py").handler(event(cloudformation, "Delete"), None)
    assert builds.started == []
    assert [each["Status"] for each in cloudformation.reports] == ["SUCCESS"]


@pytest.mark.parametrize("kind", ["Create", "Delete"])
def test_a_report_that_reaches_nobody_fails_so_that_lambda_tries_again(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3, "client", lambda _: CodeBuild("no such project"))
    unreachable = CloudFormation("http://127.0.0.1:9/answer")  # discard: nothing listens there
    with pytest.raises(URLError, match="refused"):
        program(BUILD / "starter.py").handler(event(unreachable, kind), None)


def test_a_request_that_is_delivered_again_asks_for_the_same_build(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = CodeBuild()
    monkeypatch.setattr(boto3, "client", lambda _: builds)
    starter = program(BUILD / "starter.py")
    for _ in range(2):
        starter.handler(event(cloudformation, "Update"), None)
    first, second = builds.started
    assert first == second  # by its token CodeBuild knows the second


@pytest.fixture
def account(tmp_path: Path) -> Path:
    return opened_account(tmp_path)


def make_certificates(account: Path) -> None:
    secrets = {f"SECRET_{name}": name for name in ("CA", "CA_KEY", "BROKER_1", "BROKER_2", "BROKER_3")}
    given = {
        "AWS_REGION": "eu-central-1",
        "WORK_BUCKET": "work",
        "KEY_EMR_CERTIFICATE": "artifacts/emr.zip",
        "KAFKA_DOMAIN": "kafka.fraud.internal",
    }
    account_folder.make_certificates(account, given | secrets)


def openssl(*arguments: str | Path) -> str:
    return subprocess.run(
        ["openssl", *arguments],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


def test_certificates_are_made_once_and_hold_the_brokers_names(account: Path) -> None:
    make_certificates(account)
    for number in (1, 2, 3):
        pem = account / f"BROKER_{number}"
        assert "OK" in openssl("verify", "-x509_strict", "-CAfile", account / "CA", pem)
        text = openssl("x509", "-in", pem, "-noout", "-text")
        assert f"DNS:broker-{number}.kafka.fraud.internal" in text
        assert "TLS Web Server Authentication, TLS Web Client Authentication" in text
        assert pem.read_text("utf-8").startswith("-----BEGIN PRIVATE KEY-----")  # PKCS 8, which Kafka reads
    assert "CA:TRUE" in openssl("x509", "-in", account / "CA", "-noout", "-text")
    before = {path.name: path.read_bytes() for path in account.iterdir() if path.name != "calls"}
    (account / "calls").unlink()
    make_certificates(account)
    assert {path.name: path.read_bytes() for path in account.iterdir() if path.name != "calls"} == before
    assert "put-secret-value" not in (account / "calls").read_text("utf-8")


def test_after_an_interrupted_run_all_certificates_come_from_one_authority(account: Path) -> None:
    make_certificates(account)
    (account / "CA").unlink()
    make_certificates(account)
    for number in (1, 2, 3):
        assert "OK" in openssl("verify", "-CAfile", account / "CA", account / f"BROKER_{number}")


def test_emrs_certificates_have_the_names_that_emr_looks_for(account: Path, tmp_path: Path) -> None:
    make_certificates(account)
    with zipfile.ZipFile(account / "artifacts_emr.zip") as archive:
        assert sorted(archive.namelist()) == [
            "certificateChain.pem",
            "privateKey.pem",
            "trustedCertificates.pem",
        ]
        archive.extractall(tmp_path)
    chain = tmp_path / "certificateChain.pem"
    assert "OK" in openssl("verify", "-CAfile", tmp_path / "trustedCertificates.pem", chain)
    text = openssl("x509", "-in", chain, "-noout", "-text")
    assert "DNS:*.ec2.internal, DNS:*.eu-central-1.compute.internal" in text


NOW = datetime(2026, 3, 1, 0, 2, 30, tzinfo=UTC)


def row(**values: Any) -> dict[str, Any]:
    return {
        "kind": "batch", "batch_time": NOW - timedelta(seconds=20), "read": 100, "rejected": 10,
        "rejected_late": 4, "latency_p95_ms": 900, "partitions": [{"lag": 5}, {"lag": None}, {"lag": 7}],
    } | values  # fmt: skip


def test_health_is_what_the_metrics_say() -> None:
    figures = program(MODULES / "emr" / "files" / "health.py").figures
    older = row(batch_time=NOW - timedelta(minutes=3), latency_p95_ms=1500, partitions=[{"lag": 1000}])
    assert figures([older, row()], NOW) == {
        "HeartbeatAge": 20.0,
        "Lag": 12.0,
        "LateShare": 0.04,
        "RejectedShare": 0.06,
        "LatencyP95": 1500.0,
    }
    silent = row(kind="heartbeat", read=None, rejected=None, rejected_late=None, latency_p95_ms=None)
    assert figures([silent], NOW) == {"HeartbeatAge": 20.0, "Lag": 12.0}
    assert figures([], NOW) == {}  # then the alarm on silence speaks


class Bucket:
    """S3, holding some objects."""

    class exceptions:  # noqa: N801  # boto3's name
        class NoSuchKey(Exception):
            pass

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  # boto3's names
        if Key not in self._objects:
            raise self.exceptions.NoSuchKey(Bucket, Key)
        return {"Body": io.BytesIO(self._objects[Key])}


def test_health_reads_what_the_job_writes_and_passes_over_minutes_without_any() -> None:
    health = program(MODULES / "emr" / "files" / "health.py")
    keys = health.keys(NOW, "")
    written = to_parquet(
        [{**row(), "batch_time": int(row()["batch_time"].timestamp() * 1000), "batch_id": 1}]
    )
    rows = health.rows_of(Bucket({keys[-1]: written}), "data", keys)
    assert health.figures(rows, NOW)["HeartbeatAge"] == 20.0
    assert health.figures(rows, NOW)["Lag"] == 12.0
    assert metrics_key(int(NOW.timestamp() * 1000)) == keys[-1]


def test_health_looks_at_the_minutes_before_midnight_too() -> None:
    keys = program(MODULES / "emr" / "files" / "health.py").keys(NOW, "p/")
    assert keys[0] == "p/metrics/date=2026-02-28/minute=2357.parquet"
    assert keys[-1] == "p/metrics/date=2026-03-01/minute=0002.parquet"
    assert len(keys) == 6
