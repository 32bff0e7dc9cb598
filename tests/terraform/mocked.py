"""Runs `terraform test` on a copy of `terraform/` against a mocked AWS, and reads the state it prints."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.native.alone import alone

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
ACCOUNT = "123456789012"
REGION = "us-east-1"
PASSWORD = "mocked-password-of-"  # noqa: S105  # a text to look for, never a password
LISTED = "203.0.113.0/24"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1"
OIDC = {
    "issuer": "https://login.example.com",
    "authorization_endpoint": "https://login.example.com/authorize",
    "token_endpoint": "https://login.example.com/token",
    "user_info_endpoint": "https://login.example.com/userinfo",
    "client_id": "fraud",
}

NO_TERRAFORM = "terraform is not on PATH; install Terraform 1.11 or newer"

_LOCK = ROOT / ".cache" / "terraform.lock"
_SECONDS = 900
_GOGC = "400"  # Terraform and its provider end soon: a fifth less CPU for 80 MiB more memory
# One small file for each pattern that the stack reads: what the files hold decides nothing but hashes.
_SOURCES = (
    "README.md",
    "pyproject.toml",
    "uv.lock",
    "scripts/lib.sh",
    "local/__init__.py",
    "local/jars.toml",
    "local/native/__init__.py",
    "fraud/rules.toml",
    "jobs/__init__.py",
    "producer/__init__.py",
    "dashboard/__init__.py",
)


@dataclass(frozen=True)
class Variant:
    """A profile, and what a person adds to it on the command line."""

    name: str
    profile: str
    added: Mapping[str, Any]

    def options(self) -> dict[str, Any]:
        """The values that differ from the defaults, of profile and command line."""
        options: dict[str, Any] = {}
        for line in (
            (ROOT / "terraform" / "profiles" / f"{self.profile}.tfvars").read_text("utf-8").splitlines()
        ):
            if line and not line.startswith("#"):
                key, _, value = line.partition("=")
                options[key.strip()] = json.loads(value)
        return {**options, **self.added}


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("demo", "demo", {"allowed_cidrs": [LISTED], "alarm_email": "ann@example.com"}),
        Variant("standard", "standard", {"allowed_cidrs": [LISTED], "certificate_arn": CERTIFICATE}),
        Variant("private", "private", {}),
        Variant(
            "login",
            "standard",
            {
                "certificate_arn": CERTIFICATE,
                "oidc": OIDC,
                "oidc_client_secret": "s",
                "kafdrop_public": True,
                "cpu_architecture": "x86_64",
                # As docs/operations.md has them.
                "job_settings": '{ FRAUD_ALLOWED_LATENESS = "15m" }',
                "job_options": '["--take-over=keep", "--since=2026-11-25T06:00:00Z"]',
            },
        ),
    )
}
"""The three profiles, and `standard` on other machines, with a log-in in place of listed addresses."""


@dataclass(frozen=True)
class Resource:
    """One instance of a managed resource."""

    address: str
    type: str
    name: str
    index: str | int | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Stack:
    """A stack as applied: its resources, outputs and options, and the folder of its configuration."""

    options: Mapping[str, Any]
    resources: Sequence[Resource]
    outputs: Mapping[str, Any]
    folder: Path
    text: str = field(repr=False)

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [each for each in self.resources if each.type in types]

    def one(self, kind: str, name: str | None = None, index: str | int | None = None) -> Resource:
        """The only such resource. Raises LookupError."""
        found = [
            each
            for each in self.of(kind)
            if (name is None or each.name == name) and (index is None or each.index == index)
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} resources {kind}.{name}[{index}], not one")
        return found[0]

    @property
    def key(self) -> str:
        """ARN of the customer key."""
        return str(self.one("aws_kms_key").values["arn"])

    @property
    def on_ec2(self) -> bool:
        """Kafka runs on EC2."""
        return bool(self.options["kafka_mode"] == "ec2")

    @property
    def private(self) -> bool:
        """There is no way to the internet."""
        return bool(self.options["nat"] == "none")

    def source(self, path: str) -> str:
        """The text of a file of the configuration."""
        return (self.folder / path).read_text("utf-8")


def provider_environment(cache: Path) -> dict[str, str]:
    """The environment for terraform: the provider of TF_PROVIDER_MIRROR, else as this machine is set up, but
    fetched once."""
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "GOGC": _GOGC}
    environment.pop("TF_DATA_DIR", None)
    mirror = os.environ.get("TF_PROVIDER_MIRROR")
    if not mirror:
        fetched = environment.setdefault("TF_PLUGIN_CACHE_DIR", str(ROOT / ".cache" / "terraform"))
        Path(fetched).mkdir(parents=True, exist_ok=True)
    else:
        cache.mkdir(parents=True, exist_ok=True)
        config = cache / "terraform.rc"
        config.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n', "utf-8"
        )
        environment["TF_CLI_CONFIG_FILE"] = str(config)
    return environment


def terraform(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run terraform in `folder`."""
    return subprocess.run(
        ["terraform", *arguments],  # noqa: S607  # wherever it is on PATH
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )


def provider_lacks(folder: Path, environment: Mapping[str, str]) -> str:
    """Why the provider cannot be had, in a new folder `init` below `folder`; empty when it can."""
    (folder / "init").mkdir()
    shutil.copyfile(ROOT / "terraform" / "versions.tf", folder / "init" / "versions.tf")
    with alone(_LOCK):  # two at once would fetch the provider to the same place
        done = terraform(folder / "init", environment, "init", "-no-color", "-input=false")
    if done.returncode == 0:
        return ""
    return (
        "Terraform's provider for AWS cannot be had. Where its registry cannot be reached, name a folder "
        f"that holds the provider in TF_PROVIDER_MIRROR.\n{done.stderr}"
    )


def copied(folder: Path, *, all_sources: bool = False) -> Path:
    """A copy of `terraform/` and the sources it reads, below `folder`, with the tests in the stack's module.

    Returns the copy's `terraform/`.
    """
    shutil.copytree(
        ROOT / "terraform", folder / "terraform", symlinks=True, ignore=shutil.ignore_patterns(".terraform*")
    )
    for name in ("fraud", "jobs", "producer", "dashboard", "local", "scripts") if all_sources else ():
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".streamlit")
        )
    for name in _SOURCES:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    tests = folder / "terraform" / "modules" / "stack" / "tests"
    shutil.copytree(HERE / "mocks", tests / "mocks")
    shutil.copyfile(HERE / "stack.tftest.hcl", tests / "stack.tftest.hcl")
    return folder / "terraform"


class ApplyError(AssertionError):
    """Terraform refused; the message is what it said."""


def applied(configuration: Path, variant: Variant, environment: Mapping[str, str]) -> Stack:
    """The stack of a copy that `copied` made, for one variant. Raises ApplyError."""
    module = configuration / "modules" / "stack"
    if not (module / ".terraform").exists():
        done = terraform(module, environment, "init", "-no-color", "-backend=false")
        if done.returncode != 0:
            raise ApplyError(done.stdout + done.stderr)
    added = [f"-var={name}={_hcl(value)}" for name, value in variant.added.items()]
    profile = f"-var-file={configuration / 'profiles' / variant.profile}.tfvars"
    done = terraform(module, environment, "test", "-json", "-verbose", profile, *added)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    states = [message["test_state"] for message in messages if message["type"] == "test_state"]
    if done.returncode != 0 or not states:
        said = [m["diagnostic"] for m in messages if m["type"] == "diagnostic"]
        raise ApplyError("\n".join(f"{each['summary']}: {each['detail']}" for each in said) + done.stderr)
    state = states[-1]
    resources = list(_resources(state["root_module"]))
    outputs = {name: output.get("value") for name, output in state["outputs"].items()}
    text = json.dumps([[each.address, each.values] for each in resources])
    return Stack(variant.options(), resources, outputs, configuration, text)


class NoTerraformError(Exception):
    """There is no Terraform here, or no provider; the message says what is lacking."""


def rendered(folder: Path, variant: str, *, all_sources: bool = False) -> Stack:
    """A variant, applied in `folder` by a copy of its own. Raises NoTerraformError."""
    if shutil.which("terraform") is None:
        raise NoTerraformError(NO_TERRAFORM)
    environment = provider_environment(folder / "provider")
    if why := provider_lacks(folder, environment):
        raise NoTerraformError(why)
    return applied(copied(folder / "stack", all_sources=all_sources), VARIANTS[variant], environment)


def _hcl(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _resources(module: Mapping[str, Any]) -> Iterator[Resource]:
    for each in module.get("resources", []):
        if each["mode"] == "managed":
            yield Resource(each["address"], each["type"], each["name"], each.get("index"), each["values"])
    for child in module.get("child_modules", []):
        yield from _resources(child)
