"""The compose file says what it must of every service; no engine is needed to see it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fraud.environment import variables
from scripts.check import ROOT

LOCAL = ROOT / "local"
FILES = sorted(LOCAL.glob("docker-compose*.yml"))
COPY = r"^COPY (?!--from)(?:--chown=\S+ )?((?:.|\\\n)+?)$"
DOCKERFILES = sorted(ROOT.glob("*/Dockerfile"))


class Loader(yaml.SafeLoader):
    """With Compose's own tags."""


for tag in ("!override", "!reset"):
    Loader.add_constructor(tag, lambda loader, node: loader.construct_sequence(node, deep=True))


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader)  # noqa: S506  # a SafeLoader
    return content


def services() -> list[Any]:
    """Each service that is defined in full: those of the main file, and new ones of the variants."""
    found = [
        pytest.param(name, service, id=f"{path.stem}-{name}")
        for path in FILES
        for name, service in read(path)["services"].items()
        if "image" in service
    ]
    assert len(found) >= 10
    return found


SERVICES = services()


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_every_service_is_bounded_closed_and_started_again(name: str, service: dict[str, Any]) -> None:
    assert service["init"] is True
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["restart"] in (("no",) if name == "load" else ("unless-stopped", "on-failure:5"))
    assert service["logging"]["options"]["max-size"]
    # A one-shot's health is how it ends.
    assert ("test" in service["healthcheck"]) == (name not in ("init", "load"))
    assert "start_interval" not in service["healthcheck"]


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_every_image_is_built_here_or_pinned_by_its_tag(name: str, service: dict[str, Any]) -> None:
    tag = service["image"].rsplit(":", 1)[1]
    if tag == "local":
        assert (LOCAL / service["build"]["context"] / service["build"]["dockerfile"]).is_file(), name
    else:
        assert re.search(r"\d+\.\d+\.\d+|\d{4}-\d\d-\d\d", tag)
        assert "build" not in service


def published(path: Path) -> list[tuple[str, str]]:
    """(host, port by default) of each published port of a file."""
    found = []
    for service in read(path)["services"].values():
        for port in service.get("ports", []):
            match = re.fullmatch(r"(127\.0\.0\.1):\$\{\w+:-(\d+)\}:\d+", port)
            assert match, port
            found.append((match[1], match[2]))
    return found


def test_ports_are_published_on_loopback_only_and_each_once() -> None:
    every = [port for path in FILES for _, port in published(path)]
    assert len(every) >= 5
    assert len(every) == len(set(every))


def test_every_setting_that_a_service_gets_is_one_of_the_project() -> None:
    names = set()
    for path in FILES:
        for service in read(path)["services"].values():
            names |= {name for name in service.get("environment", {}) if name.startswith("FRAUD_")}
    assert len(names) > 10
    assert names <= variables().keys()


def test_the_example_of_an_env_file_names_each_variable_with_its_default() -> None:
    text = (LOCAL / "docker-compose.yml").read_text("utf-8")
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text))
    example = dict(re.findall(r"^#(\w+)=(.*)$", (LOCAL / ".env.example").read_text("utf-8"), re.MULTILINE))
    example.pop("COMPOSE_FILE")  # Compose's own
    assert example.keys() == used.keys()
    assert {name: example[name] for name, default in used.items() if default} == {
        name: default for name, default in used.items() if default
    }


def test_it_says_no_version_and_compose_names_the_project() -> None:
    main = read(LOCAL / "docker-compose.yml")
    assert main["name"] == "fraud"
    assert "version" not in main


def test_every_wait_for_another_service_is_for_its_health_or_its_good_end() -> None:
    for path in FILES:
        for service in read(path)["services"].values():
            waits = service.get("depends_on", {})
            assert {each["condition"] for each in waits.values()} <= {
                "service_healthy",
                "service_completed_successfully",
            }


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_a_dockerfile_installs_from_the_lock_and_runs_as_a_user_of_its_own(path: Path) -> None:
    text = path.read_text("utf-8")
    uv = re.search(r"^UV_VERSION=(\S+)", (ROOT / "scripts" / "lib.sh").read_text("utf-8"), re.MULTILINE)
    assert uv
    assert f"uv=={uv[1]}" in text
    assert f"uv sync --frozen --no-default-groups --group {path.parent.name}" in text
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE)[-1] == "10001:10001"
    assert not re.search(r"RUN --mount|# syntax=|site-packages", text)
    # What changes most often comes last, so that the packages stay in the cache.
    assert text.index("uv sync") < text.index("\nCOPY --chown=10001:10001 fraud fraud")


def test_only_what_the_images_need_is_sent_to_the_engine() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source
        for path in DOCKERFILES
        for line in re.findall(
            r"^COPY (?!--from)(?:--chown=\S+ )?((?:.|\\\n)+?)$", path.read_text("utf-8"), re.MULTILINE
        )
        for source in line.replace("\\\n", " ").split()[:-1]
    }
    assert copied
    assert [path for path in copied if not any(f"{path}/".startswith(f"{each}/") for each in allowed)] == []
