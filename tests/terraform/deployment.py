"""One stack in an account: terraform apply, plan and destroy, as a person types them."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.terraform.mocked import Variant, copied, terraform

_PARALLEL = "-parallelism=30"  # what waits for AWS does not compute


@dataclass(frozen=True)
class Run:
    """What a terraform command did."""

    code: int
    seconds: float
    errors: Sequence[str]
    changes: Mapping[str, str]
    """Address of each resource that a plan changes, to create, update, replace or delete."""

    def ended(self, code: int) -> "Run":
        """Itself. Raises AssertionError when it ended with another exit code."""
        assert self.code == code, "\n".join([f"terraform ended with {self.code}", *self.errors])
        return self


class Deployment:
    """A variant of the stack, with values of variables that may change."""

    def __init__(self, folder: Path, environment: Mapping[str, str], variant: Variant) -> None:
        """Copy `terraform/` and the sources it reads below `folder`, and initialise it."""
        self.folder = folder
        self.configuration = copied(folder)
        self._environment = environment
        self._profile = f"-var-file=profiles/{variant.profile}.tfvars"
        self.options = variant.options()
        self._variables: dict[str, Any] = dict(variant.added)
        done = terraform(self.configuration, environment, "init", "-no-color", "-input=false")
        assert done.returncode == 0, done.stderr

    def apply(self, **variables: Any) -> Run:
        """Apply, with `variables` from now on."""
        self._variables.update(variables)
        return self._run("apply", "-auto-approve", _PARALLEL)

    def plan(self, *, refresh: bool = True, **variables: Any) -> Run:
        """Plan, with other `variables` for this once. Without `refresh` the state is believed."""
        options = ["-detailed-exitcode", f"-refresh={json.dumps(refresh)}", _PARALLEL]
        return self._run("plan", *options, variables=variables)

    def destroy(self) -> Run:
        """Destroy."""
        return self._run("destroy", "-auto-approve", _PARALLEL)

    def resources(self) -> int:
        """How many resources the state holds."""
        done = terraform(self.configuration, self._environment, "state", "list")
        return sum(".data." not in line for line in done.stdout.splitlines())

    def _run(self, command: str, *options: str, variables: Mapping[str, Any] | None = None) -> Run:
        values = {**self._variables, **(variables or {})}
        given = [
            f"-var={name}={value if isinstance(value, str) else json.dumps(value)}"
            for name, value in values.items()
        ]
        began = time.monotonic()
        done = terraform(
            self.configuration,
            self._environment,
            command,
            *("-json", "-input=false", *options, self._profile, *given),
        )
        seconds = time.monotonic() - began
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        said = [message["diagnostic"] for message in messages if message["type"] == "diagnostic"]
        errors = [
            f"{each.get('address', '')}: {each['summary']} {each['detail']}"
            for each in said
            if each["severity"] == "error"
        ]
        planned = [message["change"] for message in messages if message["type"] == "planned_change"]
        changes = {each["resource"]["addr"]: each["action"] for each in planned}
        return Run(done.returncode, seconds, [*errors, *done.stderr.splitlines()], changes)
