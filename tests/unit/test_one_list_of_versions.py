"""Native, compose and AWS run the same code, packages and jars: one lock, one list of jars, no other pin."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.native.jars import PINNED, read_pinned

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ("dashboard", "jobs", "producer")
PYTHON = "3.11"
OWN = ("local/jars.toml", "uv.lock")
"""The list of jars, and the lock."""

ELSEWHERE = ("scripts/bench/peers/", "tests/terraform/checkov.", ".ci/standins/")
"""What is compared with the pipeline, read by a checker, or stands in for somebody else's image."""


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


LIB = text("scripts/lib.sh")
ARCHIVES = text("terraform/modules/build/files/archives.sh")
SOURCES = text("terraform/modules/stack/sources.tf")
UV = re.search(r"^UV_VERSION=(\S+)", LIB, re.MULTILINE)[1]  # type: ignore[index]


def function(script: str, name: str) -> str:
    """The body of a function of a shell script."""
    found = re.search(rf"^{name}\(\) \{{\n(.*?)^\}}", script, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def locked() -> dict[str, str]:
    """Package -> version, of the lock."""
    packages = tomllib.loads(text("uv.lock"))["package"]
    return {each["name"]: each["version"] for each in packages if "version" in each}


def artifacts(group: str) -> dict[str, str]:
    """Artifact -> version, of a group of the pinned jars."""
    jars = [
        each.coordinate.split(":") for each in read_pinned(PINNED.read_text("utf-8")) if each.group == group
    ]
    return {artifact: version for _, artifact, version in jars}


# --- one lock


def test_native_installs_what_the_lock_says() -> None:
    assert '"$uv" sync --frozen' in function(LIB, "sync_packages")
    assert "uv pip" not in function(LIB, "sync_packages")


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_installs_what_the_lock_says_by_the_same_uv(image: str) -> None:
    dockerfile = text(f"{image}/Dockerfile")
    assert "COPY pyproject.toml uv.lock ./" in dockerfile
    assert f"uv sync --frozen --no-default-groups --group {image}" in dockerfile
    assert re.findall(r"pip install .*", dockerfile) == [f"pip install --no-cache-dir uv=={UV}"]


def test_emr_installs_what_the_lock_says_of_the_same_group_with_hashes() -> None:
    environment = function(ARCHIVES, "environment")
    assert "export --quiet --frozen --no-default-groups --group jobs" in environment
    assert "--require-hashes" in environment
    assert '-r "$OUT/requirements.txt"' in environment
    left_out = re.findall(r"--no-emit-package (\S+)", environment)
    assert left_out == ["pyspark", "py4j"]  # EMR's own
    assert re.search(rf"--python-version {re.escape(PYTHON)} ", environment)


# --- one list of jars


def test_every_jar_comes_by_the_one_list() -> None:
    assert '-m local.native.jars "$@"' in function(LIB, "set_up")
    assert "local/jars.toml" in text("jobs/Dockerfile")
    assert re.search(
        r"^RUN \S+python -m local\.native\.jars connector$", text("jobs/Dockerfile"), re.MULTILINE
    )
    assert "set_up --no-group dev connector s3a" in function(ARCHIVES, "jars")
    assert "set_up --no-group dev broker" in function(ARCHIVES, "kafka")
    assert 'source "$HERE/../scripts/lib.sh"' in ARCHIVES
    assert "fetch([jar for jar in read_pinned(PINNED.read_text())" in text("local/native/stack.py")


def test_the_image_has_all_that_fetches_its_jars(tmp_path: Path) -> None:
    copies = re.findall(
        r"^COPY (local/.*) (local/\S*)$", text("jobs/Dockerfile").replace("\\\n", " "), re.MULTILINE
    )
    for sources, folder in copies:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for source in sources.split():
            shutil.copy(ROOT / source, tmp_path / folder)
    command = [sys.executable, "-m", "local.native.jars", "--help"]
    given = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_aws_builds_from_are_these_very_files() -> None:
    for name in ("pyproject.toml", *OWN, "scripts/lib.sh", "fraud/**", "jobs/**"):
        assert f'"{name}"' in SOURCES
    assert "find fraud jobs -type f" in function(ARCHIVES, "code")
    assert re.findall(r"^COPY .* (\w+) \1$", text("jobs/Dockerfile"), re.MULTILINE) == ["fraud", "jobs"]


def test_the_compose_file_builds_the_dockerfiles_that_aws_builds() -> None:
    compose: Mapping[str, Any] = yaml.safe_load(text("local/docker-compose.yml"))
    built = {
        each["build"]["dockerfile"]
        for each in compose["services"].values()
        if isinstance(each.get("build"), dict)
    }
    assert built == {f"{image}/Dockerfile" for image in IMAGES}
    build = text("terraform/modules/build/files/images.sh")
    assert "for component in jobs producer dashboard; do" in build
    assert '--file "$component/Dockerfile"' in build


# --- what others bring in the same version


def test_spark_and_its_connector_are_of_one_version_and_python_is_the_same_everywhere() -> None:
    assert artifacts("connector")["spark-sql-kafka-0-10_2.13"] == locked()["pyspark"]
    assert artifacts("s3a")["spark-hadoop-cloud_2.13"] == locked()["pyspark"]
    for image in IMAGES:
        bases = re.findall(
            r"^FROM \$\{BASE_REGISTRY\}/python:(\S+?)-", text(f"{image}/Dockerfile"), re.MULTILINE
        )
        assert set(bases) == {PYTHON}
    assert f"exec python{PYTHON} " in text("terraform/modules/emr/files/runner.sh.tftpl")
    assert f"/usr/bin/python{PYTHON}" in text("terraform/modules/emr/main.tf")


def test_kafka_and_kafdrop_are_of_one_version_everywhere() -> None:
    kafka = artifacts("broker")["kafka_2.13"]
    compose = yaml.safe_load(text("local/docker-compose.yml"))["services"]
    assert compose["kafka"]["image"] == f"apache/kafka:{kafka}"
    msk = re.findall(r'"(\d+\.\d+)\.x\.kraft"', text("terraform/modules/kafka_msk/main.tf"))
    assert set(msk) == {kafka.rpartition(".")[0]}
    kafdrop = re.search(r'kafdrop = "([^"]+)"', SOURCES)
    assert kafdrop
    assert compose["kafdrop"]["image"] == f"obsidiandynamics/kafdrop:{kafdrop[1]}"


# --- no other pin

COORDINATE = re.compile(r"\b(?:org|com|io|net|software)\.[\w.-]+:[\w.-]+:\d[\w.]*")
INSTALLED = re.compile(r"(?:pip|uv|dnf|apt-get|npm)\b[^\n]*\binstall\b[^\n]*?([\w.-]+==[\w.*$]+)")


def pins_in(content: str) -> list[str]:
    """Versions of packages and jars that a text asks for."""
    return COORDINATE.findall(content) + INSTALLED.findall(content)


def test_no_other_file_asks_for_a_version_of_a_package_or_jar() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607  # where PATH says
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    read = [
        name
        for name in listed
        if name and name not in OWN and not name.startswith(("tests/", "docs/", *ELSEWHERE))
    ]
    found = {
        name: pins
        for name in read
        if (ROOT / name).is_file()
        and (pins := set(pins_in((ROOT / name).read_bytes().decode("utf-8", "replace"))))
    }
    allowed = {f"{image}/Dockerfile": {f"uv=={UV}"} for image in IMAGES}
    assert found == {**allowed, "scripts/lib.sh": {"uv==$UV_VERSION"}}


@pytest.mark.parametrize(
    "line",
    [
        "spark-submit --packages org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.0",
        "RUN pip install pandas==2.0.0",
    ],
)
def test_a_pin_elsewhere_is_noticed(line: str) -> None:
    assert pins_in(line)
