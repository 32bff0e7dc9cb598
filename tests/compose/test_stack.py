"""The stack as docker compose starts it: healthy, closed to the outside, without root."""

import json
import re
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from local.native.findings import alerts_of
from tests.compose.layers import secrets_in
from tests.compose.stack import ComposeStack, docker, program, well
from tests.integration.lane import pairs_in

IMAGES = ("fraud-jobs:local", "fraud-producer:local", "fraud-dashboard:local")
DEVELOPMENT = "fraud-development"
"""MinIO's password, where nobody has set one."""
ROOT_BY_DESIGN = {"minio"}
"""Its image has no user of its own; it runs without capabilities."""

pytestmark = pytest.mark.timeout(900)  # the first of them builds the images and starts the stack


def test_up_ends_when_all_services_are_healthy_and_init_has_ended_well(stack: ComposeStack) -> None:
    containers = stack.containers()
    init = containers.pop("init")["State"]
    assert (init["Status"], init["ExitCode"]) == ("exited", 0)
    assert {name: each["State"]["Health"]["Status"] for name, each in containers.items()} == dict.fromkeys(
        containers, "healthy"
    )
    assert {"kafka", "minio", "detect", "maintenance", "producer", "dashboard"} <= containers.keys()


def test_kafdrop_shows_the_topics(stack: ComposeStack, kafdrop: bool) -> None:
    if not kafdrop:
        pytest.skip("kafdrop: not tested here, its image cannot be pulled; only its settings are")
    address = f"http://127.0.0.1:{stack.ports['KAFDROP_PORT']}/topic"
    request = urllib.request.Request(address, headers={"Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        names = {topic["name"] for topic in json.load(answer)}
    assert {"transactions", "fraud-alerts", "transactions-rejected"} <= names


def test_kafdrop_s_settings_lead_to_the_broker_and_its_health_check_sees_it_listen(
    stack: ComposeStack, kafdrop: bool
) -> None:
    if kafdrop:
        pytest.skip("Kafdrop itself runs here, and shows the topics")
    assert "brokers: kafka:19092/1\n" in stack.logs("kafdrop")
    container = stack.containers()["kafdrop"]
    assert container["State"]["Health"]["Status"] == "healthy"
    # The same command where nothing listens.
    _, program, *arguments = container["Config"]["Healthcheck"]["Test"]
    elsewhere = docker("run", "--rm", "--entrypoint", program, container["Config"]["Image"], *arguments)
    assert elsewhere.returncode != 0
    assert "Connection refused" in elsewhere.stderr


def test_alerts_are_on_the_console_in_kafka_and_in_parquet(stack: ComposeStack, tmp_path: Path) -> None:
    lane = stack.lane(tmp_path)
    kafka = lane.settings.kafka
    stack.wait("alert on the console", lambda: "ALERT " in stack.logs("detect"))
    stack.wait("alert in Kafka", lambda: any(True for _ in alerts_of(kafka, kafka.alerts_topic)))
    stack.wait("alert in Parquet", lambda: any(key.startswith("alerts/date=") for key in lane.object_keys()))


SHOWN = """
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("dashboard/streamlit_app.py", default_timeout=60).run()
print([error.value for error in page.error], page.exception, {each.label: each.value for each in page.metric})
"""


def test_the_dashboard_answers_and_shows_alerts(stack: ComposeStack) -> None:
    address = f"http://127.0.0.1:{stack.ports['DASHBOARD_PORT']}"
    with urllib.request.urlopen(f"{address}/_stcore/health", timeout=30) as answer:  # noqa: S310
        assert answer.read() == b"ok"
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert b"<title>Streamlit</title>" in answer.read()
    said = stack.compose("exec", "-T", "dashboard", "python", "-c", SHOWN).stdout
    assert "'Alerts': '" in said, said
    assert "'Alerts': '0'" not in said


def test_every_port_is_on_loopback_only(stack: ComposeStack) -> None:
    bindings = {
        (name, binding["HostIp"])
        for name, each in stack.containers().items()
        for published in each["NetworkSettings"]["Ports"].values()
        for binding in published or []
    }
    assert {host for _, host in bindings} == {"127.0.0.1"}
    assert {name for name, _ in bindings} >= {"kafka", "minio", "dashboard"}


def test_no_process_runs_as_root_but_those_named_and_none_has_a_capability(stack: ComposeStack) -> None:
    # a process may end while we look
    show = "for at in /proc/[0-9]*/status; do grep -E '^(Uid|CapEff)' $at || test ! -e $at; done"
    for name in stack.containers().keys() - {"init"}:
        said = stack.compose("exec", "-T", name, "sh", "-c", show).stdout.splitlines()
        users = {line.split()[1] for line in said if line.startswith("Uid")}
        assert users, name
        assert ("0" in users) == (name in ROOT_BY_DESIGN), (name, users)
        assert {int(line.split()[1], 16) for line in said if line.startswith("CapEff")} == {0}, name


def test_the_root_file_system_cannot_be_written(stack: ComposeStack) -> None:
    for name in stack.containers().keys() - {"init"}:
        done = stack.compose("exec", "-T", name, "sh", "-c", "touch /usr/written", check=False)
        assert "Read-only file system" in done.stderr, name


def test_no_image_has_a_secret_in_its_environment_or_its_history(stack: ComposeStack) -> None:
    for image in IMAGES:
        history = well(docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image))
        told = history + well(docker("image", "inspect", image))
        assert stack.secret not in told
        assert not {"SECRET", "PASSWORD"} & set(re.findall(r"[A-Z]+", told))


def test_no_layer_of_an_image_holds_a_secret(stack: ComposeStack) -> None:
    with subprocess.Popen([program(), "save", *IMAGES], stdout=subprocess.PIPE) as saving:
        assert saving.stdout is not None
        assert secrets_in(saving.stdout, [stack.secret, DEVELOPMENT]) == []
    assert saving.returncode == 0


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("component", ["jobs", "producer", "dashboard"])
def test_nothing_but_the_code_of_its_component_enters_an_image(component: str) -> None:
    show = "cd /app && find . -type f | cut -d/ -f2 | sort -u; find . -name '.env*'"
    said = well(docker("run", "--rm", "--entrypoint", "sh", f"fraud-{component}:local", "-c", show))
    assert set(said.split()) == {"fraud", component}


def test_somebody_s_own_payments_are_judged(stack: ComposeStack, tmp_path: Path) -> None:
    payment = {
        "transaction_id": "own-1", "user_id": "somebody", "amount": 2500.01, "currency": "EUR",
        "location": "Zürich", "timestamp": time.time_ns() // 1_000_000,
    }  # fmt: skip
    line = json.dumps(payment) + "\n"
    said = stack.compose("run", "--rm", "-T", "producer", "--from", "-", given=line).stderr
    assert "1 acknowledged" in said or "acknowledged 1" in said, said
    own = ("high_amount", "somebody", "own-1")
    lane = stack.lane(tmp_path)
    stack.wait("alert", lambda: own in {pair[:3] for pair in pairs_in(lane.bucket())})
