"""docs/operations.md says what is: commands, names, addresses and alarms exist; its Python does its work."""

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jmespath
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore import xform_name
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.session import Session

from fraud.environment import variables
from jobs.detect.__main__ import main as detect
from jobs.init import main as init
from local.native.arguments import parsed
from scripts.aws.arguments import deploy_arguments, destroy_arguments, smoke_arguments
from tests.bucket import Bucket
from tests.guide import GUIDE, TEXT, blocks

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "terraform"
OBSERVED = TERRAFORM / "modules" / "observability"


def commands() -> Iterator[list[str]]:
    """Each command of the shell blocks as words, from the program on; those in tables, too."""
    lines = [line for block in blocks("bash") for line in block.replace("\\\n", " ").splitlines()]
    for line in lines + re.findall(r"`([^`\n]+)`", TEXT):
        if not re.search(r"scripts/[\w-]+\.sh|python -m ", line):
            continue
        for part in re.split(r"&&|;", line):
            words = shlex.split(part, comments=True)
            start = [n for n, word in enumerate(words) if word == "-m" or word.startswith("scripts/")]
            if start and words[start[0]] == "-m":
                yield words[start[0] + 1 :]
            elif start:
                yield words[start[0] :]


def native(*before: str) -> Callable[[list[str]], object]:
    return lambda arguments: parsed([*before, *arguments])


TAKES_NOTHING = {"scripts/setup.sh", "scripts/test.sh", "scripts/alerts.sh"}
PARSERS: dict[str, Callable[[list[str]], object]] = {
    "scripts/demo.sh": native("demo"),
    "local.native": native(),
    "scripts/deploy.sh": deploy_arguments,
    "scripts/destroy.sh": destroy_arguments,
    "scripts/smoke-aws.sh": smoke_arguments,
}


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_each_command_is_one_that_its_program_takes(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program, arguments = words[0], words[1:]
    if program in ("jobs.detect", "jobs.init"):
        monkeypatch.setenv("FRAUD_NO_SUCH_SETTING", "so it ends after its arguments")
        assert {"jobs.detect": detect, "jobs.init": init}[program](arguments) == 2
    elif program == "scripts/reset.sh":
        assert arguments in (["--native"], ["--compose"])
    elif program in TAKES_NOTHING:
        assert arguments == []
    elif program in PARSERS:
        if program in ("scripts/deploy.sh", "scripts/destroy.sh") and not arguments:
            return  # named, not called
        PARSERS[program](arguments)
    else:
        pytest.fail(f"no parser is known for {program}")


def test_a_command_that_is_not_taken_is_noticed() -> None:
    with pytest.raises(SystemExit):
        PARSERS["scripts/deploy.sh"](["no-such-profile"])
    with pytest.raises(SystemExit):
        detect(["--take-over", "both"])


def test_options_for_compose_and_aws_are_those_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUD_NO_SUCH_SETTING", "so it ends after its arguments")
    lines = re.findall(r'DETECT_OPTIONS="([^"]+)"', TEXT)
    lines += [" ".join(re.findall(r'"([^"]+)"', each)) for each in re.findall(r"job_options=\[(.+?)\]", TEXT)]
    assert len(lines) >= 6
    for line in lines:
        assert detect(line.split()) == 2
    taken = re.compile(re.search(r'regex\("(\^--.+?)", option', (TERRAFORM / "variables.tf").read_text())[1])  # type: ignore[index]
    for each in re.findall(r"job_options=\[(.+?)\]", TEXT):
        assert all(taken.search(option) for option in re.findall(r'"([^"]+)"', each))


def test_settings_exist() -> None:
    named = set(re.findall(r"\bFRAUD_\w+", TEXT))
    assert named
    assert named <= variables().keys()


def test_what_stands_in_the_environment_file_of_compose_is_read_there() -> None:
    compose = (ROOT / "local" / "docker-compose.yml").read_text("utf-8")
    for name in re.findall(r"^echo '(\w+)=", TEXT, re.MULTILINE):
        assert f"${{{name}:-" in compose


def test_variables_and_addresses_of_terraform_exist() -> None:
    declared = set(re.findall(r'^variable "(\w+)"', (TERRAFORM / "variables.tf").read_text(), re.MULTILINE))
    given = set(re.findall(r"--var ['\"]?(\w+)=", TEXT))
    assert {"job_options", "job_settings", "rules_file", "emr_core_count"} <= given <= declared
    outputs = set(re.findall(r'^output "(\w+)"', (TERRAFORM / "outputs.tf").read_text(), re.MULTILINE))
    assert set(re.findall(r"output -(?:raw|json) (\w+)", TEXT)) <= outputs
    addresses = re.findall(
        r"-replace='?module\.stack\.module\.(\w+)(\[0\])?\.(\w+)\.(\w+)(\[\"\d\"\])?", TEXT
    )
    assert len(addresses) == TEXT.count("-replace=")
    stack = (TERRAFORM / "modules" / "stack" / "main.tf").read_text("utf-8")
    for module, counted, kind, name, keyed in addresses:
        called = re.search(rf'^module "{module}" \{{\n(.*?)^\}}', stack, re.MULTILINE | re.DOTALL)
        assert called, module
        assert bool(counted) == ("  count " in called[1])
        text = "".join(path.read_text("utf-8") for path in (TERRAFORM / "modules" / module).glob("*.tf"))
        resource = re.search(rf'^resource "{kind}" "{name}" \{{\n(.*?)^\}}', text, re.MULTILINE | re.DOTALL)
        assert resource, f"{kind}.{name}"
        assert bool(keyed) == ("  for_each " in resource[1])


# What AWS's command line has beside the services' own operations: its options.
OF_THE_COMMAND_LINE = {
    ("s3", "cp"): set(),
    ("s3", "mv"): {"recursive", "only-show-errors"},
    ("s3", "rm"): set(),
    ("logs", "tail"): {"since"},
    ("emr", "add-steps"): {"cluster-id", "steps"},
}
BETWEEN = "();<>|&\n"  # commands
SERVICES = Session()


def aws_commands() -> Iterator[list[str]]:
    """Each call of AWS's command line as words, from the service on; also those inside of others."""
    for text in blocks("bash") + re.findall(r"`(aws [^`\n]+)`", TEXT):
        left = re.sub(r"\\\n|\s+#.*", " ", text)
        while inner := re.search(r"\$\((aws [^()]*)\)", left):
            yield from split(inner[1])
            left = left.replace(inner[0], "VALUE")
        yield from split(left)


def split(text: str) -> Iterator[list[str]]:
    words = shlex.shlex(text, posix=True, punctuation_chars=BETWEEN)
    words.whitespace, words.whitespace_split = " \t", True
    call: list[str] | None = None
    for word in [*words, "\n"]:
        if word == "aws" or not word.strip(BETWEEN):
            if call:
                yield call
            call = [] if word == "aws" else None
        elif call is not None:
            call.append(word)


def operation(service: str, command: str) -> OperationModel:
    """The operation of a service that a command calls. Raises KeyError."""
    model = SERVICES.get_service_model(service.removesuffix("api"))
    return model.operation_model({xform_name(name, "-"): name for name in model.operation_names}[command])


def sample(shape: Shape | None, depth: int = 8) -> object:
    """An answer of this shape, with something in each field."""
    if isinstance(shape, StructureShape):
        return {name: sample(each, depth - 1) for name, each in shape.members.items() if depth > 0}
    if isinstance(shape, ListShape):
        return [sample(shape.member, depth - 1)]
    return "value"


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    else:
        yield value


@pytest.mark.parametrize("words", list(aws_commands()), ids=lambda words: " ".join(words[:2]))
def test_each_command_for_aws_has_names_and_options_that_there_are(words: list[str]) -> None:
    service, command, *rest = words
    options = {word.removeprefix("--") for word in rest if word.startswith("--")}
    if (service, command) in OF_THE_COMMAND_LINE:
        assert options <= OF_THE_COMMAND_LINE[service, command]
        return
    model = operation(service, command)
    asked = model.input_shape
    assert asked is not None
    known = {xform_name(name, "-"): name for name in asked.members}
    assert options - {"query", "output"} <= known.keys()
    if options:  # else it is named, not called
        assert set(asked.required_members) <= {known.get(each) for each in options}
    if "--query" in rest:
        found = jmespath.search(rest[rest.index("--query") + 1], sample(model.output_shape))
        assert list(leaves(found))
        assert None not in leaves(found)


def test_a_command_for_aws_that_there_is_not_is_noticed() -> None:
    assert len(list(aws_commands())) >= 25
    with pytest.raises(KeyError):
        operation("ecs", "run-tasks")
    good = sample(operation("ecs", "run-task").output_shape)
    assert jmespath.search("tasks[0].taskArn", good) == "value"
    assert jmespath.search("tasks[0].TaskArn", good) is None


def test_the_alarms_are_those_that_there_are() -> None:
    alarms, events = (OBSERVED / "alarms.tf").read_text("utf-8"), (OBSERVED / "events.tf").read_text("utf-8")
    of_the_job = re.findall(r"^    ([\w-]+) = \{$", alarms, re.MULTILINE)
    others = re.findall(r'alarm_name\s+= "\$\{var\.name\}-([\w-]+?)(-\$\{each\.key\})?"', alarms)
    happenings = re.findall(r"^    ([\w-]+) = \{$", events, re.MULTILINE)
    assert len(of_the_job) >= 6
    assert len(happenings) >= 3
    rows = re.findall(r"^\| `([\w-]+)` \|", TEXT.split("\n## Alarms\n")[1], re.MULTILINE)
    named = [re.sub(r"-(N|COMPONENT)$", "-", row) for row in rows]
    assert sorted(named) == sorted(
        [*of_the_job, *happenings, *(f"{name}-" if each else name for name, each in others)]
    )


def test_links_lead_to_chapters_that_are_there() -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", TEXT):
        text = (GUIDE.parent / target).read_text("utf-8") if target else TEXT
        assert anchor in {slug(title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}, anchor


def slug(title: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("number", range(len(blocks("bash"))))
def test_each_block_is_bash(number: int, tmp_path: Path) -> None:
    script = tmp_path / "block.sh"
    script.write_text(blocks("bash")[number], "utf-8")
    done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0, done.stderr


class Tombstones(ModuleType):
    """In place of confluent_kafka: what was produced."""

    def __init__(self) -> None:
        super().__init__("confluent_kafka")
        self.produced: list[tuple[str, object, str]] = []
        self.Producer = lambda _: self

    def produce(self, topic: str, *, value: object, key: str) -> None:
        self.produced.append((topic, value, key))

    def flush(self, _: float) -> int:
        return 0


def parquet(**columns: list[str]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_a_user_is_erased_from_all_objects_and_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = blocks("python")
    bucket = Bucket(
        {
            "p/alerts/date=d/hour=1/batch=a-1.parquet": parquet(user_id=["ann", "bob"], alert_id=["1", "2"]),
            "p/alerts/date=d/hour=1/batch=a-2.parquet": parquet(user_id=["bob"], alert_id=["3"]),
            "p/alerts_hourly/date=d/hour=0/alerts.parquet": parquet(user_id=["ann"], alert_id=["4"]),
            "p/transactions/date=d/hour=1/batch=b-1-0.parquet": parquet(user_id=["bob", "ann"]),
            "p/transactions/_progress/t.json": b"{}",
            "other/alerts/x.parquet": parquet(user_id=["ann"], alert_id=["5"]),
        }
    )
    bucket.objects["p/alerts_hourly/date=d/hour=0/alerts.parquet"][1]["made-of"] = "x"
    tombstones = Tombstones()
    monkeypatch.setitem(sys.modules, "confluent_kafka", tombstones)
    monkeypatch.setattr("jobs.store_client.store_client", lambda _: bucket)
    monkeypatch.setattr(sys, "argv", ["-", "ann"])
    for name in [name for name in os.environ if name.startswith("FRAUD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FRAUD_S3_PREFIX", "p/")
    exec(compile(program, str(GUIDE), "exec"), {})  # noqa: S102  # the guide's own

    def users(key: str) -> list[Any]:
        return list(pq.read_table(io.BytesIO(bucket.objects[key][0]))["user_id"].to_pylist())

    left = {key: users(key) for key in bucket.objects if key.endswith(".parquet")}
    assert left.pop("other/alerts/x.parquet") == ["ann"]
    assert left.pop("p/alerts_hourly/date=d/hour=0/alerts.parquet") == []
    assert set(map(tuple, left.values())) == {("bob",)}
    assert "p/alerts/date=d/hour=1/batch=a-2.parquet" not in bucket.puts
    assert bucket.objects["p/alerts_hourly/date=d/hour=0/alerts.parquet"][1] == {"made-of": "x"}
    assert sorted(tombstones.produced) == [("fraud-alerts", None, "1"), ("fraud-alerts", None, "4")]
