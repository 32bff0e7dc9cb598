"""What ECS runs is what the image's entry point and the task's command say together."""

import json
import re
from collections.abc import Callable

from tests.terraform.mocked import ROOT, Stack
from tests.terraform.promises_services import containers

LINES = {
    "dashboard": "python -m streamlit run dashboard/streamlit_app.py",
    "maintenance": "python -m jobs.compact",
    "producer": "python -m producer --no-log",
    "init": "python -m jobs.init --timeout 10m",
}
IMAGES = {"dashboard": "dashboard", "maintenance": "jobs", "producer": "producer", "init": "jobs"}


def entry_point(image: str) -> list[str]:
    """The words that a command is added to."""
    text = (ROOT / image / "Dockerfile").read_text("utf-8")
    found = re.search(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)
    return list(json.loads(found[1])) if found else []


def test_each_container_starts_its_program(stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of("demo")
    started = {
        container["name"]: [*entry_point(IMAGES[container["name"]]), *container.get("command", [])]
        for component in ("dashboard", "maintenance", "producer")
        for container in containers(stack, component)
    }
    assert {name: " ".join(words) for name, words in started.items()} == LINES
