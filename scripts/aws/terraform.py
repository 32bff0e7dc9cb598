"""Runs terraform: what it said, and an end in order when somebody interrupts."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from scripts.aws.arguments import ROOT
from scripts.aws.console import CannotStartError, FailedError, waited
from scripts.aws.plan import Plan, read_plan

OLDEST = (1, 11)
"""The oldest Terraform that has write-only arguments."""


class Terraform:
    """The configuration `terraform/` with the variables of one stack.

    `options` are -var and -var-file. Plans lie in `scratch`: they may hold secrets.
    """

    def __init__(self, options: Sequence[str], scratch: Path) -> None:
        """Raises CannotStartError when there is no terraform, or only an old one."""
        self._folder = ROOT / "terraform"
        self._options = tuple(options)
        self._scratch = scratch
        self._environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        self._check_version()

    def variables(self) -> Mapping[str, Any]:
        """The value of every variable, without network and provider. Raises CannotStartError."""
        alone = self._scratch / "variables"
        alone.mkdir()
        own = [*self._folder.glob("*.auto.tfvars"), self._folder / "terraform.tfvars"]
        for file in [self._folder / "variables.tf", *own]:
            if file.exists():
                shutil.copy(file, alone)
        # Its path counts from terraform/: the plan itself will look for the file.
        unread = alone / "rules.tfvars"
        unread.write_text("rules_file = null\n", "utf-8")
        return self._planned("these values", (*self._options, f"-var-file={unread}"), folder=alone).variables

    def initialise(self) -> None:
        """Bring provider and state. Raises CannotStartError."""
        code, said = self._captured("init", "-no-color", "-input=false")
        if code != 0:
            raise CannotStartError(f"terraform init failed: {_first_error(said)}")

    def plan(self, *options: str) -> Plan:
        """Plan; `apply` applies the newest one. Raises CannotStartError."""
        return self._planned("the plan", (*self._options, *options), folder=self._folder)

    def apply(self) -> bool:
        """Apply the newest plan, in sight; whether it went well."""
        return self._shown("apply", "-input=false", str(self._file))

    def apply_alone(self, addresses: Sequence[str], *options: str) -> bool:
        """Plan and apply these addresses alone, in sight; whether it went well."""
        targets = [f"-target={address}" for address in addresses]
        return self._shown("apply", "-input=false", "-auto-approve", *self._options, *options, *targets)

    def destroy(self) -> bool:
        """Destroy all, in sight; whether it went well."""
        return self._shown("destroy", "-input=false", "-auto-approve", *self._options)

    def resources(self) -> list[str]:
        """Addresses of the resources in the state. Raises FailedError."""
        code, said = self._captured("state", "list")
        if code != 0 and "No state file" not in said:
            raise FailedError(f"the state cannot be read: {_first_error(said)}")
        return [line for line in said.splitlines() if code == 0 and line and ".data." not in f".{line}"]

    def outputs(self) -> dict[str, Any]:
        """The outputs of the last apply. Raises FailedError."""
        code, said = self._captured("output", "-json", "-no-color")
        if code != 0:
            raise FailedError(f"the outputs cannot be read: {_first_error(said)}")
        return {name: each["value"] for name, each in json.loads(said).items()}

    @property
    def _file(self) -> Path:
        return self._scratch / "plan"

    def _check_version(self) -> None:
        if shutil.which("terraform") is None:
            raise CannotStartError("terraform: not on PATH; install 1.11 or newer (developer.hashicorp.com)")
        code, said = self._captured("version", "-json")
        if code != 0:
            raise CannotStartError(f"terraform: does not run: {_first_error(said)}")
        version = json.loads(said)["terraform_version"]
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise CannotStartError(f"terraform: {version} is too old; install {oldest} or newer")

    def _planned(self, what: str, options: Sequence[str], *, folder: Path) -> Plan:
        code, said = self._captured(
            "plan", "-json", "-input=false", f"-out={self._file}", *options, folder=folder
        )
        if code != 0:
            raise CannotStartError(f"terraform refuses {what}:\n" + "\n".join(_diagnostics(said)))
        code, said = self._captured("show", "-json", str(self._file), folder=folder)
        if code != 0:
            raise CannotStartError(f"terraform cannot read its own plan: {_first_error(said)}")
        return read_plan(json.loads(said))

    def _captured(self, *arguments: str, folder: Path | None = None) -> tuple[int, str]:
        """Exit code and what it said: standard output, or its errors where there is none."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            code = self._run(arguments, folder or self._folder, output, errors)
            output.seek(0)
            errors.seek(0)
            return code, (output.read() or errors.read()).decode(errors="replace")

    def _shown(self, *arguments: str) -> bool:
        return self._run(arguments, self._folder, None, None) == 0

    def _run(
        self, arguments: Sequence[str], folder: Path, output: IO[bytes] | None, errors: IO[bytes] | None
    ) -> int:
        """The exit code. Raises KeyboardInterrupt, once terraform has ended."""
        child = subprocess.Popen(
            ["terraform", *arguments],  # noqa: S607  # wherever it is on PATH
            cwd=folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        return waited(child, "terraform ends what it is at and keeps its state (not so at another Ctrl-C)")


@contextmanager
def opened_terraform(options: Sequence[str]) -> Iterator[Terraform]:
    """Terraform for one stack; its plans go at the end. Raises CannotStartError."""
    with tempfile.TemporaryDirectory() as scratch:
        yield Terraform(options, Path(scratch))


def _diagnostics(said: str) -> list[str]:
    """One line an error of a command with -json."""
    messages = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    found = [message["diagnostic"] for message in messages if message.get("type") == "diagnostic"]
    errors = [each for each in found if each["severity"] == "error"]
    lines = [f"  {each['summary']}: {' '.join(each['detail'].split())}" for each in errors]
    return lines or [f"  {_first_error(said)}"]


def _first_error(said: str) -> str:
    lines = [line.strip(" │╷╵") for line in said.splitlines()]
    said_something = [line for line in lines if line] or ["it said nothing"]
    return next((line for line in said_something if line.startswith("Error")), said_something[-1])
