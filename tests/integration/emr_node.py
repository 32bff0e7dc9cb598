"""EMR's primary node that is a folder: the release as Terraform renders it, and the pinned Spark."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from local.native.jars import FOLDER as JARS
from local.native.stack import Stack
from tests.integration.ec2_brokers import SECONDS, Brokers, until
from tests.integration.lane import ROOT
from tests.terraform.account_folder import environment, file_of
from tests.terraform.quick_runner import running_runner

_COMMITTER = "spark-hadoop-cloud"  # of the jars for S3 the one that EMR may lack


class PrimaryNode:
    """It finds Kafka at `brokers`, and S3 at the native server of `stack`."""

    def __init__(self, brokers: Brokers, stack: Stack, folder: Path) -> None:
        self.folder = folder
        self._brokers, self._stack = brokers, stack
        self._release = json.loads(brokers.stack.one("aws_s3_object", "release").values["content"])
        artifacts = {name: file_of(brokers.account, key) for name, key in self._release["artifacts"].items()}
        with zipfile.ZipFile(artifacts["code"], "w") as code:
            for file in (file for name in ("fraud", "jobs") for file in (ROOT / name).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    code.write(file, file.relative_to(ROOT))
        with tarfile.open(artifacts["environment"], "w:gz") as packages:  # they come with this Python
            packages.add(_made(folder / "no-packages"), ".")
        with tarfile.open(artifacts["jars"], "w:gz", compresslevel=1) as jars:
            jars.add(JARS / "connector", "connector")
            for jar in (JARS / "s3a").glob(f"{_COMMITTER}*.jar"):
                jars.add(jar, f"hadoop-cloud/{jar.name}")
        shutil.copyfile(ROOT / "terraform/modules/emr/files/health.py", folder / "health.py")
        _made(folder / "log")
        # EMR's Spark reads S3 by itself.
        of_emr = [str(jar) for jar in (JARS / "s3a").glob("*.jar") if not jar.name.startswith(_COMMITTER)]
        defaults = f"spark.driver.extraClassPath {':'.join(of_emr)}\n"
        (_made(folder / "conf") / "spark-defaults.conf").write_text(defaults, "utf-8")

    def settings(self) -> dict[str, str]:
        """The job's variables: as rendered but for addresses, S3's keys, Spark's size, and no pauses."""
        of_store = ("FRAUD_S3_ENDPOINT_URL", "FRAUD_S3_ACCESS_KEY_ID", "FRAUD_S3_SECRET_ACCESS_KEY")
        return {
            **self._brokers.job(),
            **{name: self._stack.environment[name] for name in of_store},
            "FRAUD_SPARK_MASTER": "local[2]",
            "FRAUD_DRIVER_MEMORY": "1g",
            "FRAUD_BUCKETS": "4",
            "FRAUD_SHUFFLE_PARTITIONS": "1",
            "FRAUD_TRIGGER": "0s",
        }

    def release(self, name: str, rules: Path, **different: str) -> None:
        """Put a release with this rule file, and settings other than usual, into the bucket, at once."""
        content: dict[str, Any] = {**self._release, "release": name}
        content["settings"] = {
            name: value for name, value in self.settings().items() if name not in self._release["secrets"]
        } | different
        key = f"artifacts/rules-{name}.toml"
        shutil.copyfile(rules, file_of(self._brokers.account, key))
        content["artifacts"] = {**self._release["artifacts"], "rules": key}
        part = self.folder / "release.part"
        part.write_text(json.dumps(content), "utf-8")
        part.rename(file_of(self._brokers.account, "artifacts/release.json"))

    def running(self) -> AbstractContextManager[subprocess.Popen[str]]:
        """The runner, as the cluster's step starts it."""
        spark = find_spec("pyspark")
        assert spark is not None
        assert spark.origin is not None
        given = environment(self._brokers.account)
        node = {
            "PATH": f"{Path(sys.executable).parent}:{given['PATH']}",
            "JAVA_HOME": str(self._brokers.java_home),
            "SPARK_HOME": str(Path(spark.origin).parent),
            "SPARK_CONF_DIR": str(self.folder / "conf"),
            "AWS_ENDPOINT_URL_CLOUDWATCH": "http://127.0.0.1:9",  # nobody takes the figures of its health
        }
        return running_runner(self.folder, given | node)

    def log(self) -> str:
        """What runner and job have said."""
        return (self.folder / "log.txt").read_text("utf-8", "replace")

    def wait_for(self, text: str) -> None:
        """Until the log holds a text."""
        until(f"{text!r} in the log", lambda: text in self.log(), self.log)

    def calls(self) -> str:
        """What `aws` was called with."""
        return (self._brokers.account / "calls").read_text("utf-8")

    def kill_job(self, runner: subprocess.Popen[str]) -> None:
        """End the job's process at once, and wait until Spark's JVM has gone with it."""
        family = psutil.Process(runner.pid).children(recursive=True)
        (job,) = [each for each in family if _is_job(each)]
        below = job.children(recursive=True)
        job.kill()
        _, alive = psutil.wait_procs(below, SECONDS)
        assert alive == []


def _is_job(process: psutil.Process) -> bool:
    try:
        return "jobs.detect" in process.cmdline()
    except psutil.NoSuchProcess:  # has ended since it was listed
        return False


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
