"""Keeps the streaming job running on the primary node, and follows the release that `release.json` names.

A changed release starts when the running one has stopped between two micro-batches, from the same checkpoint.
After a crash the job is started again, later and later; after five failures in ten minutes the runner gives
up, and the cluster's step fails. A release that refuses its settings gives way to the one before it.
Standard library only: it runs before the job's packages are there.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections import deque
from pathlib import Path

FAILURES, WITHIN = 5, 600.0  # so many in so many seconds are too many
POLL = 15.0
PROVEN = 120.0  # seconds after which a release counts as one that works
SETTINGS_WRONG = 2
FIELDS = {"release", "settings", "secrets", "artifacts", "arguments", "spark", "metrics_namespace"}
SPARK = Path(os.environ.get("SPARK_HOME", "/usr/lib/spark"))


def say(text: str) -> None:
    """A line of the job's log."""
    print(f"{time.strftime('%FT%TZ', time.gmtime())} runner: {text}", flush=True)


def aws(*arguments: str) -> str:
    """What the AWS command line prints. Raises CalledProcessError."""
    done = subprocess.run(
        ["aws", *arguments],  # noqa: S607  # wherever EMR has it
        check=True,
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # what is no text is told by whoever reads it
    )
    return done.stdout


def why(error: Exception) -> str:
    """Why: of a command what it said in the end."""
    if not isinstance(error, subprocess.CalledProcessError):
        return str(error)
    lines = str(error.stderr).split("\n")
    return next((line for line in reversed(lines) if line.strip()), f"exit code {error.returncode}")


class ReleaseError(Exception):
    """There is no release to run; the message says where, and why."""


class Release:
    """One state of release.json, and its files on this machine."""

    def __init__(self, text: str, bucket: str, folder: Path) -> None:
        """Raises ReleaseError."""
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ReleaseError(f"holds no JSON: {error}") from error
        lacking = FIELDS - content.keys() if isinstance(content, dict) else FIELDS
        if lacking:
            raise ReleaseError(f"lacks {', '.join(sorted(lacking))}")
        self.text = text
        self.content = content
        self._bucket = bucket
        self._folder = folder

    def part(self, name: str) -> Path:
        """The folder or file of one artefact, fetched and unpacked once."""
        key = self.content["artifacts"][name]
        place = self._folder / "artifacts" / re.sub(r"\W", "_", key)
        if not place.exists():
            part = place.with_name(place.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            file = part / Path(key).name
            aws("s3", "cp", "--only-show-errors", f"s3://{self._bucket}/{key}", str(file))
            if key.endswith(".tar.gz"):
                with tarfile.open(file) as archive:
                    archive.extractall(part, filter="data")
            elif key.endswith(".zip"):
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(part)  # noqa: S202  # our own, from our bucket
            part.rename(place)
        return place

    def file(self, name: str) -> Path:
        """The artefact itself, as it was fetched."""
        return self.part(name) / Path(self.content["artifacts"][name]).name

    def environment(self) -> dict[str, str]:
        """The environment of the job: settings, and the secrets that release.json names.

        Raises ReleaseError, CalledProcessError, OSError.
        """
        settings = dict(self.content["settings"])
        secrets = {}
        for variable, place in self.content["secrets"].items():
            arn, _, field = place.partition("#")
            if arn not in secrets:
                secrets[arn] = aws(
                    "secretsmanager",
                    "get-secret-value",
                    "--secret-id",
                    arn,
                    "--query",
                    "SecretString",
                    "--output",
                    "json",
                )
            value = json.loads(secrets[arn])
            try:
                settings[variable] = json.loads(value)[field] if field else value
            except (ValueError, LookupError, TypeError):
                # Its own text might tell the secret.
                raise ReleaseError(f"{arn} holds no {field!r} for {variable}: it must be JSON") from None
        settings["FRAUD_RULES_FILE"] = str(self.file("rules"))
        settings["FRAUD_LOG_DIR"] = str(self._folder / "log")
        # Spark's own packages last: the archive has none of them.
        path = [self.part("code"), self.part("environment"), SPARK / "python"]
        path += (SPARK / "python" / "lib").glob("py4j-*src.zip")
        return {
            **os.environ,
            **settings,
            "PYTHONPATH": os.pathsep.join(str(each) for each in path),
            "PYTHONUNBUFFERED": "1",
            "SPARK_HOME": str(SPARK),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_SUBMIT_ARGS": shlex.join(self.submitted()),
        }

    def jars(self) -> list[Path]:
        """The connector's jars, and the S3 committer's where this Spark lacks it."""
        jars = sorted(self.part("jars").glob("connector/*.jar"))
        if not list(SPARK.glob("jars/spark-hadoop-cloud*")):
            jars += sorted(self.part("jars").glob("hadoop-cloud/*.jar"))
        return jars

    def command(self) -> list[str]:
        """The command that starts the job, which starts spark-submit itself.

        The other way round a signal would end Spark's JVM, in the middle of a micro-batch.
        """
        return [sys.executable, "-P", "-m", "jobs.detect", *self.content["arguments"]]

    def submitted(self) -> list[str]:
        """What the job gives to spark-submit: the driver here, executors with the same code and packages."""
        settings, code = self.content["settings"], self.file("code")
        options = [f"{name}={value}" for name, value in sorted(self.content["spark"].items())]
        return [
            "--master",
            settings["FRAUD_SPARK_MASTER"],
            "--deploy-mode",
            "client",
            "--driver-memory",
            settings["FRAUD_DRIVER_MEMORY"],
            "--jars",
            ",".join(str(jar) for jar in self.jars()),
            "--files",
            str(code),
            "--archives",
            f"{self.file('environment')}#environment",
            "--conf",
            f"spark.executorEnv.PYTHONPATH={code.name}:environment",
            *(word for option in options for word in ("--conf", option)),
            "pyspark-shell",
        ]


class Runner:
    """Runs one job at a time, and what reports its health beside it."""

    def __init__(self, artifacts: str, folder: Path) -> None:
        self._artifacts = artifacts
        self._bucket = artifacts.removeprefix("s3://").split("/")[0]
        self._folder = folder
        self._failures: deque[float] = deque()
        self._ending = False
        self._refused: str | None = None  # the text of a release that is no news any more

    def end(self, *_: object) -> None:
        """The step was cancelled, or the cluster ends."""
        self._ending = True

    def run(self) -> int:
        """Until it is told to end, or gives up: the step's exit code."""
        proven: Release | None = None
        release = self._first()
        if release is None:
            return 0 if self._ending else 1
        while not self._ending:
            code, lasted, following = self._job(release)
            if lasted >= PROVEN:
                proven = release
            if following is not None:
                release = following
                continue
            if self._ending:
                return 0
            say(f"the job ended with exit code {code} after {lasted:.0f} s")
            if code == SETTINGS_WRONG:
                if proven is None or proven.text == release.text:
                    return 1
                self._alarm(release, "ReleaseRefused")
                say("this release refuses its settings or its state: the one before it goes on")
                self._refused, release = release.text, proven
                continue
            if not self._may_try_again():
                return 1
            release = self._newest(release)
        return 0

    def _first(self) -> Release | None:
        """The release to begin with; None when it is told to end, or gives up, before there is one."""
        while not self._ending:
            try:
                return self._release(self._text())
            except ReleaseError as error:
                say(f"{error}; scripts/deploy.sh puts it there, and lets the cluster's nodes read it")
            if not self._may_try_again():
                break
        return None

    def _newest(self, known: Release) -> Release:
        """The release that the bucket holds; the known one when that is no news, or cannot be had."""
        text = known.text
        try:
            text = self._text()
            if text not in (known.text, self._refused):
                return self._release(text)
        except ReleaseError as error:
            say(f"{error}; the release {known.content['release']} goes on")
            if text != known.text:  # it was read, and will be no better at the next look
                self._refused = text
                self._alarm(known, "ReleaseRefused")
        return known

    def _text(self) -> str:
        """What release.json holds. Raises ReleaseError."""
        place = f"{self._artifacts}/release.json"
        try:
            return aws("s3", "cp", place, "-")
        except subprocess.CalledProcessError as error:
            raise ReleaseError(f"{place} could not be read: {why(error)}") from error

    def _release(self, text: str) -> Release:
        """The release that a text is. Raises ReleaseError."""
        try:
            return Release(text, self._bucket, self._folder)
        except ReleaseError as error:
            raise ReleaseError(f"{self._artifacts}/release.json {error}") from error

    def _job(self, release: Release) -> tuple[int, float, "Release | None"]:
        """Run the job until it ends or another release is there: exit code, seconds, that release."""
        say(f"starting release {release.content['release']}")
        try:
            environment = release.environment()
        except (ReleaseError, subprocess.CalledProcessError, OSError) as error:
            say(f"the release could not be prepared: {why(error)}")
            return 1, 0.0, None
        code = subprocess.run(
            [sys.executable, "-P", "-m", "jobs.init"], env=environment, check=False
        ).returncode
        if code != 0:
            say(f"init ended with exit code {code}")
            return code, 0.0, None
        began = time.monotonic()
        job = subprocess.Popen(release.command(), env=environment, start_new_session=True)
        health = subprocess.Popen(
            [sys.executable, str(self._folder / "health.py"), release.content["metrics_namespace"]],
            env=environment,
        )
        following: Release | None = None
        try:
            asked = began
            while job.poll() is None:
                time.sleep(1)
                if self._ending:
                    break
                if time.monotonic() - asked >= POLL:
                    asked = time.monotonic()
                    newest = self._newest(release)
                    if newest.text != release.text:
                        say("another release is there: stopping between micro-batches")
                        following = newest
                        break
            job.send_signal(signal.SIGTERM)
            return job.wait(), time.monotonic() - began, following
        finally:
            health.terminate()
            health.wait()

    def _may_try_again(self) -> bool:
        now = time.monotonic()
        self._failures.append(now)
        while self._failures[0] < now - WITHIN:
            self._failures.popleft()
        if len(self._failures) >= FAILURES:
            say(f"{FAILURES} failures in {WITHIN / 60:.0f} minutes: giving up")
            return False
        time.sleep(2.0 ** len(self._failures))
        return True

    @staticmethod
    def _alarm(release: Release, metric: str) -> None:
        """Count one; payments go on being judged where nobody can be told."""
        namespace = release.content["metrics_namespace"]
        try:
            aws(
                "cloudwatch",
                "put-metric-data",
                "--namespace",
                namespace,
                "--metric-name",
                metric,
                "--value",
                "1",
            )
        except subprocess.CalledProcessError as error:
            say(f"the alarm {metric} could not be raised: {why(error)}")


def main() -> int:
    """Run until ended from outside; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", required=True, help="s3://BUCKET/artifacts")
    parser.add_argument("--folder", required=True, type=Path, help="where it may keep files")
    given = parser.parse_args()
    runner = Runner(given.artifacts, given.folder)
    signal.signal(signal.SIGTERM, runner.end)
    signal.signal(signal.SIGINT, runner.end)
    return runner.run()


if __name__ == "__main__":
    sys.exit(main())
