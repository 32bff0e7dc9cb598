"""What a change of rules or code changes, and what it leaves alone: never the Spark cluster, never Kafka."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.terraform.mocked import VARIANTS, Stack, applied, copied

pytestmark = pytest.mark.timeout(900)
_CLUSTER = (
    "name",
    "release_label",
    "applications",
    "configurations_json",
    "log_uri",
    "ebs_root_volume_size",
    "keep_job_flow_alive_when_no_steps",
    "bootstrap_action",
    "tags",
)


@pytest.fixture(scope="module")
def changed(
    tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]
) -> Callable[[str, str], Stack]:
    """`changed(file, line)`: the demo's stack after a line was added to a file of the project."""

    def get(file: str, line: str) -> Stack:
        folder = tmp_path_factory.mktemp("changed")
        configuration = copied(folder)
        with (folder / file).open("a") as text:
            text.write(line)
        return applied(configuration, VARIANTS["demo"], environment)

    return get


def release(stack: Stack) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(stack.one("aws_s3_object", "release").values["content"])
    return content


def source_hash(stack: Stack) -> str:
    template = json.loads(stack.one("aws_cloudformation_stack").values["template_body"])
    return str(template["Resources"]["Build"]["Properties"]["SourceHash"])


def arguments(stack: Stack) -> dict[str, Any]:
    """What would replace the Spark cluster or a broker if it changed, without what a mocked AWS makes up."""
    cluster = stack.one("aws_emr_cluster").values
    groups = ("master_instance_group", "core_instance_group")
    return {
        "cluster": {name: cluster[name] for name in _CLUSTER},
        "machines": [cluster[group][0]["instance_type"] for group in groups],
        "step": cluster["step"][0]["hadoop_jar_step"][0]["args"],
        "security": stack.one("aws_emr_security_configuration").values["configuration"],
        "brokers": {str(each.index): each.values["user_data"] for each in stack.of("aws_instance")},
    }


def images(stack: Stack) -> dict[str, set[str]]:
    return {
        str(task.index): {each["image"] for each in json.loads(task.values["container_definitions"])}
        for task in stack.of("aws_ecs_task_definition")
    }


def test_other_rules_build_nothing(
    changed: Callable[[str, str], Stack], stack_of: Callable[[str], Stack]
) -> None:
    before, after = stack_of("demo"), changed("fraud/rules.toml", "\n# another rule\n")
    assert source_hash(after) == source_hash(before)
    assert images(after) == images(before)
    assert arguments(after) == arguments(before)
    old, new = release(before), release(after)
    assert old.pop("release") != new.pop("release")
    assert old["artifacts"].pop("rules") != new["artifacts"].pop("rules")
    assert old == new


def test_other_code_of_the_job_is_a_build_and_a_release(
    changed: Callable[[str, str], Stack], stack_of: Callable[[str], Stack]
) -> None:
    before, after = stack_of("demo"), changed("jobs/__init__.py", "\n# other code\n")
    assert source_hash(after) != source_hash(before)
    assert arguments(after) == arguments(before)
    old, new = release(before), release(after)
    assert old.pop("release") != new.pop("release")
    assert old["artifacts"].pop("code") != new["artifacts"].pop("code")
    assert old == new
    then, now = images(before), images(after)
    assert {component for component in now if now[component] != then[component]} == {
        "producer",
        "maintenance",
    }


def test_another_broker_program_is_not_hidden(
    changed: Callable[[str, str], Stack], stack_of: Callable[[str], Stack]
) -> None:
    """The comparison above can see a broker that would be replaced: other jars do that."""
    after = changed("local/jars.toml", "\n# another jar\n")
    assert arguments(after)["brokers"] != arguments(stack_of("demo"))["brokers"]
