"""Every package that the job takes to EMR comes as a wheel for its Python, on both kinds of machines."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

LOCK = Path(__file__).resolve().parents[2] / "uv.lock"
OF_EMR = {"pyspark"}
"""Source only. EMR has its own; the archive leaves it out."""


def packages_of_the_job() -> Iterator[dict[str, Any]]:
    """What the lock has for the project itself and its group `jobs`, on Linux with Python 3.11."""
    locked = {each["name"]: each for each in tomllib.loads(LOCK.read_text("utf-8"))["package"]}
    assert len(locked) > 50
    project = locked["fraud-pipeline"]
    asked = [*project["dependencies"], *project["dev-dependencies"]["jobs"]]
    seen = set[str]()
    while asked:
        wanted = asked.pop()
        here = {"python_full_version": "3.11.0", "python_version": "3.11", "sys_platform": "linux"}
        if wanted["name"] in seen or ("marker" in wanted and not Marker(wanted["marker"]).evaluate(here)):
            continue
        seen.add(wanted["name"])
        package = locked[wanted["name"]]
        asked += package.get("dependencies", [])
        yield package


def taken(processor: str) -> set[Tag]:
    """The wheels that `archives.sh` takes: CPython 3.11, glibc of Amazon Linux or older."""
    platforms = [
        f"manylinux2014_{processor}",
        *(f"manylinux_2_{minor}_{processor}" for minor in range(17, 29)),
    ]
    version = (3, 11)
    return {
        *cpython_tags(version, platforms=platforms),
        *compatible_tags(version, interpreter="cp311", platforms=platforms),
    }


@pytest.mark.parametrize("processor", ["aarch64", "x86_64"])
def test_each_locked_package_of_the_job_has_a_wheel_for_emr(processor: str) -> None:
    tags = taken(processor)
    lacking = set[str]()
    packages = list(packages_of_the_job())
    for package in packages:
        names = [wheel["url"].rpartition("/")[2] for wheel in package.get("wheels", [])]
        if not any(parse_wheel_filename(name)[3] & tags for name in names):
            lacking.add(package["name"])
    assert lacking == OF_EMR
    assert {"numpy", "pyarrow", "pandas", "confluent-kafka", "orjson"} < {each["name"] for each in packages}
