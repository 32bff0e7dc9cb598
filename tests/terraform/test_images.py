"""The images: where the build has them from, and what ECS starts in them."""

import re
from collections.abc import Callable
from importlib.util import find_spec

import pytest

from tests.terraform.images import IMAGES, Image
from tests.terraform.mocked import ROOT, Stack
from tests.terraform.promises_services import containers

LINES = {
    "dashboard": "python -m streamlit run dashboard/streamlit_app.py",
    "maintenance": "python -m jobs.compact",
    "producer": "python -m producer --no-log",
    "init": "python -m jobs.init --timeout 10m",
}


@pytest.mark.timeout(900)
def test_each_container_starts_its_program(stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of("demo")
    started = {
        container["name"]: [*Image.of(IMAGES[container["name"]]).entry_point, *container.get("command", [])]
        for component in ("dashboard", "maintenance", "producer")
        for container in containers(stack, component)
    }
    assert {name: " ".join(words) for name, words in started.items()} == LINES
    for python, minus_m, module, *_ in started.values():
        assert (python, minus_m) == ("python", "-m")
        assert find_spec(module) is not None
    assert (ROOT / "dashboard" / "streamlit_app.py").exists()


@pytest.mark.parametrize("image", sorted(set(IMAGES.values())))
def test_each_image_has_its_base_from_the_registry_that_the_build_names(image: str) -> None:
    text = (ROOT / image / "Dockerfile").read_text("utf-8")
    stages = re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE)
    bases = [base for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE) if base not in stages]
    assert bases
    assert all(base.startswith("${BASE_REGISTRY}/python:") for base in bases), bases
    assert text.index("\nARG BASE_REGISTRY=docker.io/library\n") < text.index("\nFROM ")
