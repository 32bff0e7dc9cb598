"""The build as CodeBuild runs it, its parts being small scripts: how it ends, what CloudFormation hears."""

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.terraform.cloudformation import CloudFormation
from tests.terraform.codebuild import FILES, Build, run_buildspec

NOBODY = {"RESPONSE_URL": "http://127.0.0.1:9/answer"}  # discard: nothing listens there


class Sources:
    """A folder of sources with the real frame of the build; its parts do nothing yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "build").mkdir(parents=True)
        for name in ("build.sh", "report.sh"):
            shutil.copyfile(FILES / name, folder / "build" / name)
        for name in ("certificates", "images", "archives"):
            self.part(name, f"echo {name} made")

    def part(self, name: str, script: str) -> None:
        """Let a part of the build be this."""
        (self._folder / "build" / f"{name}.sh").write_text(script, "utf-8")

    def built(self, told: dict[str, str], limit: str = "60s") -> Build:
        """Build them; `told`: whom to tell."""
        return run_buildspec(self._folder, {"TIME_LIMIT": limit, **told})


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path / "sources")


def test_a_build_makes_all_its_parts_and_reports_success(
    sources: Sources, cloudformation: CloudFormation
) -> None:
    build = sources.built(cloudformation.told())
    assert build.succeeded
    assert build.said.split("\n")[:4] == [
        "certificates made",
        "images made",
        "archives made",
        "the build is complete",
    ]
    assert cloudformation.reports == [
        {
            "Status": "SUCCESS",
            "Reason": "built",
            "PhysicalResourceId": "fraud",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Build",
        }
    ]


def test_a_build_that_fails_ends_there_and_reports_its_last_lines(
    sources: Sources, cloudformation: CloudFormation
) -> None:
    sources.part("images", "printf '%5000s\\n' early; echo 'no space left' >&2; exit 3")
    build = sources.built(cloudformation.told())
    assert not build.succeeded
    assert "archives made" not in build.said
    (report,) = cloudformation.reports
    assert report["Status"] == "FAILED"
    assert report["Reason"].startswith("the build failed: ")
    assert report["Reason"].endswith("no space left")
    assert len(json.dumps(report)) < 4096  # CloudFormation takes no more


def test_a_build_that_takes_too_long_is_ended_and_reported(
    sources: Sources, cloudformation: CloudFormation
) -> None:
    sources.part("archives", "echo fetching; sleep 600")
    began = time.monotonic()
    build = sources.built(cloudformation.told(), limit="1s")
    assert not build.succeeded
    assert time.monotonic() - began < 60
    (report,) = cloudformation.reports
    assert report["Status"] == "FAILED"
    assert "\nfetching\n" in report["Reason"]
    assert report["Reason"].endswith("\nthe build took longer than 1s, and was ended")


def test_a_report_that_is_refused_twice_is_told_a_third_time(
    sources: Sources, cloudformation: CloudFormation
) -> None:
    cloudformation.refusals = 2
    build = sources.built(cloudformation.told())
    assert build.said.count("CloudFormation did not take the report: HTTP Error 503") == 2
    assert [each["Status"] for each in cloudformation.reports] == ["SUCCESS"]
    assert build.succeeded


def test_a_build_whose_report_reaches_nobody_fails(sources: Sources, cloudformation: CloudFormation) -> None:
    build = sources.built(cloudformation.told() | NOBODY)
    assert not build.succeeded
    assert "the build is complete" in build.said
    assert build.said.count("CloudFormation did not take the report") == 3


def test_a_build_that_a_person_started_has_nobody_to_tell(sources: Sources) -> None:
    assert sources.built({}).succeeded
    sources.part("archives", "exit 1")
    assert not sources.built({}).succeeded
