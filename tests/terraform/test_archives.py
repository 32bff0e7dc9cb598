"""The archives for EMR and the brokers, made by the build's script from the sources in the bucket."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from local.native.jars import PINNED, read_pinned
from tests.terraform.account_folder import environment as with_account
from tests.terraform.account_folder import file_of, opened_account
from tests.terraform.codebuild import lay_sources, rendered_environment
from tests.terraform.mocked import ROOT, VARIANTS, applied, copied

pytestmark = [pytest.mark.timeout(900), pytest.mark.whole_matrix]

ELF = b"\x7fELF"
MACHINES = {"aarch64": 183, "x86_64": 62}
"""e_machine in the head of an ELF file."""

IMPORTS = """
import importlib, pkgutil, sys
import fraud, jobs
for package in (fraud, jobs):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
from jobs.detect.__main__ import main
main(["--help"])
"""


@dataclass(frozen=True)
class Workshop:
    """A machine of CodeBuild, with the sources and the bucket."""

    sources: Path
    account: Path
    variables: Mapping[str, str]

    def made(self, **different: str) -> subprocess.CompletedProcess[str]:
        """Make the archives that are not in the bucket; with other variables than Terraform's."""
        return subprocess.run(
            ["bash", "build/archives.sh"],  # noqa: S607
            cwd=self.sources,
            env={**self.variables, **with_account(self.account), **different},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def archive(self, variable: str) -> Path:
        """What lies in the bucket by the key of a variable."""
        return file_of(self.account, self.variables[variable])

    def key(self, processor: str) -> str:
        """The key of the packages for a kind of machines."""
        return f"artifacts/environment-{processor}.tar.gz"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]) -> Workshop:
    """With the archives made, the packages for both kinds of machines."""
    folder = tmp_path_factory.mktemp("archives")
    stack = applied(copied(folder / "stack", all_sources=True), VARIANTS["demo"], environment)
    lay_sources(stack, folder / "sources")
    variables = {**os.environ, **rendered_environment(stack)}
    workshop = Workshop(folder / "sources", opened_account(folder), variables)
    for processor in MACHINES:
        done = workshop.made(ARCHITECTURE=processor, KEY_ENVIRONMENT=workshop.key(processor))
        assert done.returncode == 0, done.stderr
    return workshop


def unpacked(archive: Path, folder: Path) -> Path:
    """The folder, with what the archive holds."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def native_files(folder: Path) -> Iterator[tuple[str, int]]:
    """Path and machine of each ELF file."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                head = file.read(20)
            if head.startswith(ELF):
                yield str(path.relative_to(folder)), int.from_bytes(head[18:20], "little")


@pytest.mark.parametrize("processor", MACHINES)
def test_packages_are_of_the_machines_and_the_python_of_emr(
    processor: str, workshop: Workshop, tmp_path: Path
) -> None:
    folder = unpacked(file_of(workshop.account, workshop.key(processor)), tmp_path)
    files = dict(native_files(folder))
    assert len(files) > 50
    assert set(files.values()) == {MACHINES[processor]}
    built_for = {found[1] for name in files if (found := re.search(r"\.(cpython-\d+|abi3)[.-]", name))}
    assert "cpython-311" in built_for
    assert built_for <= {"cpython-311", "abi3"}
    packages = {re.sub(r"-[^-]*$", "", path.stem).lower() for path in folder.glob("*.dist-info")}
    assert packages > {"numpy", "orjson", "pyarrow", "pydantic", "pandas", "boto3", "confluent_kafka"}
    assert not packages & {"pyspark", "py4j", "fraud_pipeline"}  # EMR's, and the code's own archive
    assert not (folder / "pyspark").exists()


def test_the_code_is_what_the_job_is_made_of(workshop: Workshop) -> None:
    with zipfile.ZipFile(workshop.archive("KEY_CODE")) as code:
        assert code.testzip() is None
        held = {name: code.read(name) for name in code.namelist()}
    expected = {
        str(path.relative_to(ROOT)): path.read_bytes()
        for package in ("fraud", "jobs")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.name != "Dockerfile" and "__pycache__" not in path.parts
    }
    assert held == expected


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11) or sys.platform != "linux" or platform.machine() not in MACHINES,
    reason="the packages are for Python 3.11 on Linux",
)
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_the_job_runs_on_the_archives_and_sparks_own_python(
    form: str, workshop: Workshop, tmp_path: Path
) -> None:
    """The driver has the code as a folder, executors have it as the archive."""
    packages = unpacked(file_of(workshop.account, workshop.key(platform.machine())), tmp_path / "environment")
    code = workshop.archive("KEY_CODE")
    if form == "folder":
        shutil.unpack_archive(code, tmp_path / "code", "zip")
        code = tmp_path / "code"
    spark = tmp_path / "spark"
    spark.mkdir()
    for name in ("pyspark", "py4j"):
        found = find_spec(name)
        assert found is not None
        assert found.origin is not None
        (spark / name).symlink_to(Path(found.origin).parent)
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", IMPORTS],
        env={"PYTHONPATH": f"{code}:{packages}:{spark}", "LC_ALL": "C.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python -m jobs.detect")


def test_jars_are_those_pinned(workshop: Workshop, tmp_path: Path) -> None:
    folder = unpacked(workshop.archive("KEY_JARS"), tmp_path)
    pinned = {jar.path(Path()).name: jar for jar in read_pinned(PINNED.read_text("utf-8"))}
    held = {path.relative_to(folder): path for path in folder.rglob("*.jar")}
    assert {str(path.parent) for path in held} == {"connector", "hadoop-cloud"}
    assert {path.name for path in held if path.parent.name == "connector"} == {
        name for name, jar in pinned.items() if jar.group == "connector"
    }
    (committer,) = [path.name for path in held if path.parent.name == "hadoop-cloud"]
    assert committer.startswith("spark-hadoop-cloud_")
    for path in held.values():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == pinned[path.name].sha256


def test_the_brokers_program_comes_with_its_hash(workshop: Workshop, tmp_path: Path) -> None:
    archive = workshop.archive("KEY_KAFKA")
    said = Path(f"{archive}.sha256").read_text("utf-8")
    assert said == f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  kafka.tar.gz\n"
    pinned = {
        jar.path(Path()).name: jar.sha256
        for jar in read_pinned(PINNED.read_text("utf-8"))
        if jar.group == "broker"
    }
    held = unpacked(archive, tmp_path).rglob("*.jar")
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in held} == pinned


def test_what_is_in_the_bucket_is_not_made_again(workshop: Workshop) -> None:
    (workshop.account / "calls").unlink()
    done = workshop.made(KEY_ENVIRONMENT=workshop.key("aarch64"))
    assert (done.returncode, done.stderr) == (0, "")
    calls = (workshop.account / "calls").read_text("utf-8").splitlines()
    assert len(calls) == 4
    assert all(call.startswith("s3api head-object ") for call in calls)


def test_a_package_that_is_not_what_the_lock_says_ends_the_build(workshop: Workshop, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(workshop.sources, sources, ignore=shutil.ignore_patterns(".venv", "jars"), symlinks=True)
    lock = sources / "uv.lock"
    found = re.search(r'\nname = "orjson"\n.*?\n\n', lock.read_text("utf-8"), re.DOTALL)
    assert found is not None
    forged = re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", found[0])
    lock.write_text(lock.read_text("utf-8").replace(found[0], forged), "utf-8")
    other = Workshop(sources, workshop.account, workshop.variables)
    done = other.made(KEY_ENVIRONMENT="artifacts/forged.tar.gz")
    assert done.returncode != 0
    assert "Hash mismatch for `orjson" in done.stderr
    assert not file_of(workshop.account, "artifacts/forged.tar.gz").exists()
