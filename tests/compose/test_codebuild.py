"""The build on AWS, run here: the buildspec's commands on the sources from the bucket, with a real engine.

In place of AWS stand a folder for bucket and secrets (`account_folder`), and for ECR a registry on loopback.
Where AWS's public registry or Docker Hub cannot be reached, the base image here is tagged by the names
there: by Kafdrop's, too, whose image is only copied.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.compose.registry import PASSWORD, opened_registry, registry_lacks
from tests.compose.stack import docker, program, well
from tests.terraform.account_folder import environment as with_account
from tests.terraform.account_folder import file_of, opened_account
from tests.terraform.cloudformation import CloudFormation, opened_cloudformation
from tests.terraform.codebuild import Build, lay_sources, rendered_environment, run_buildspec
from tests.terraform.mocked import NoTerraformError, Stack, rendered
from tests.terraform.promises_services import containers

pytestmark = [pytest.mark.timeout(900), pytest.mark.whole_matrix]

PYTHON = "python:3.11-slim-bookworm"
OURS = ("jobs", "producer", "dashboard")
DOCKER = """#!/usr/bin/env bash
# docker; but an image that this machine has is not pulled, for it may reach no registry. Each call is noted.
echo "$*" >>"$FAKE/docker"
[[ $1 == pull ]] && {docker} image inspect "${{!#}}" >/dev/null 2>&1 || exec {docker} "$@"
"""
BROKEN = "\nRUN echo 'no space left on this device' && exit 3\n"


def is_here(image: str) -> bool:
    """Whether the engine has an image, or can have it."""
    return (
        docker("image", "inspect", image).returncode == 0 or docker("pull", "--quiet", image).returncode == 0
    )


@dataclass
class Machine:
    """A machine of CodeBuild: its sources, its environment, and where its reports go."""

    stack: Stack
    sources: Path
    account: Path
    variables: dict[str, str]
    cloudformation: CloudFormation

    def built(self, **different: str) -> tuple[Build, dict[str, str]]:
        """Run the buildspec; how it ended, and what it reported."""
        (self.account / "docker").unlink(missing_ok=True)
        self.cloudformation.reports.clear()
        build = run_buildspec(self.sources, self.variables | different, seconds=800)
        (report,) = self.cloudformation.reports
        return build, report

    def docker_calls(self) -> list[str]:
        """The verbs of docker that the last build used."""
        return [line.split()[0] for line in (self.account / "docker").read_text("utf-8").splitlines()]

    def image(self, component: str) -> str:
        """The name of a component's image in the registry."""
        tag = self.variables[f"TAG_{component.upper()}"]
        return f"{self.variables['REGISTRY']}/{self.variables['REPOSITORIES']}/{component}:{tag}"

    def pulled(self, component: str) -> dict[str, Any]:
        """What the engine says of the image that comes out of the registry."""
        environment = os.environ | {"DOCKER_CONFIG": self.variables["DOCKER_CONFIG"]}
        well(docker("image", "rm", "--force", self.image(component)))
        well(docker("pull", "--quiet", self.image(component), env=environment))
        (told,) = json.loads(well(docker("image", "inspect", self.image(component))))
        return dict(told)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("codebuild")
    if why := registry_lacks():
        pytest.skip(why)
    try:
        stack = rendered(folder, "demo", all_sources=True)
    except NoTerraformError as error:
        pytest.skip(str(error))
    lay_sources(stack, folder / "sources")
    account = opened_account(folder)
    (account / "ecr").write_text(PASSWORD, "utf-8")
    wrapper = folder / "bin" / "docker"
    wrapper.write_text(DOCKER.format(docker=program()), "utf-8")
    wrapper.chmod(0o755)
    with ExitStack() as stacked:
        variables = {
            **rendered_environment(stack),
            **with_account(account),
            "REGISTRY": stacked.enter_context(opened_registry(folder / "registry")),
            "DOCKER_CONFIG": str(folder / "docker"),
        }
        cloudformation = stacked.enter_context(opened_cloudformation())
        variables |= cloudformation.told()
        for name, stand_in in (
            (f"{variables['BASE_REGISTRY']}/{PYTHON}", PYTHON),
            (f"obsidiandynamics/kafdrop:{variables['TAG_KAFDROP']}", PYTHON),
        ):
            if not is_here(name):
                well(docker("tag", stand_in, name))
                stacked.callback(docker, "image", "rm", name)
        machine = Machine(stack, folder / "sources", account, variables, cloudformation)
        for component in (*OURS, "kafdrop"):
            stacked.callback(docker, "image", "rm", "--force", machine.image(component))
        yield machine


@pytest.fixture(scope="module")
def first(machine: Machine) -> tuple[Build, dict[str, str]]:
    """The first build, with an empty bucket and an empty registry."""
    return machine.built()


def test_a_build_makes_all_and_reports_success(machine: Machine, first: tuple[Build, dict[str, str]]) -> None:
    build, report = first
    assert build.succeeded, build.said[-3000:]
    assert report["Status"] == "SUCCESS"
    assert machine.docker_calls().count("build") == 3
    assert machine.docker_calls().count("push") == 4
    keys = [value for name, value in machine.variables.items() if name.startswith("KEY_")]
    assert len(keys) == 5
    assert [key for key in keys if not file_of(machine.account, key).exists()] == []
    arns = [value for name, value in machine.variables.items() if name.startswith("SECRET_")]
    assert len(arns) == 5
    assert [arn for arn in arns if not file_of(machine.account, arn).exists()] == []


@pytest.mark.usefixtures("first")
def test_a_second_build_finds_all_there(machine: Machine) -> None:
    build, report = machine.built()
    assert build.succeeded
    assert report["Status"] == "SUCCESS"
    assert machine.docker_calls() == ["login"]
    for component in OURS:
        assert f"image {component}:{machine.variables[f'TAG_{component.upper()}']} is there" in build.said


@pytest.mark.usefixtures("first")
def test_a_failed_build_reports_the_last_lines_of_its_log_and_pushes_nothing(machine: Machine) -> None:
    path = machine.sources / "producer" / "Dockerfile"
    whole = path.read_text("utf-8")
    path.write_text(whole + BROKEN, "utf-8")
    build, report = machine.built(TAG_PRODUCER="broken")
    path.write_text(whole, "utf-8")
    assert not build.succeeded
    assert report["Status"] == "FAILED"
    assert "no space left on this device" in report["Reason"]
    assert "push" not in machine.docker_calls()


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("component", ["dashboard", "producer", "maintenance"])
def test_a_pushed_image_starts_its_program_as_ecs_starts_it(component: str, machine: Machine) -> None:
    for container in containers(machine.stack, component):
        # In the mocked ECR all repositories have one address: the tag tells which image it is.
        tag = container["image"].rpartition(":")[2]
        (image,) = [each for each in OURS if machine.variables[f"TAG_{each.upper()}"] == tag]
        assert machine.pulled(image)["Config"]["User"] == container.get("user", "10001:10001")
        assert container["readonlyRootFilesystem"]
        (writable,) = [each["containerPath"] for each in container["mountPoints"]]
        options = ["--rm", "--init", "--network", "none", "--read-only", "--tmpfs", f"{writable}:mode=1777"]
        values = [f"--env={each['name']}={each['value']}" for each in container["environment"]]
        command = [*container.get("command", []), "--help"]
        said = well(docker("run", *options, *values, machine.image(image), *command))
        assert "usage: " in said.lower()


@pytest.mark.usefixtures("first")
def test_kafdrops_image_is_copied_as_it_is(machine: Machine) -> None:
    tag = machine.variables["TAG_KAFDROP"]
    (original,) = json.loads(well(docker("image", "inspect", f"obsidiandynamics/kafdrop:{tag}")))
    assert machine.pulled("kafdrop")["Id"] == original["Id"]


@pytest.mark.usefixtures("first")
def test_a_registry_without_log_in_is_closed(machine: Machine, tmp_path: Path) -> None:
    stranger = os.environ | {"DOCKER_CONFIG": str(tmp_path)}
    assert docker("pull", machine.image("jobs"), env=stranger).returncode != 0
