"""scripts/smoke-aws.sh finds a stack by its outputs alone, and reaches private brokers by their names."""

import json
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fraud.environment import load
from scripts.aws import smoke
from scripts.aws.console import CannotStartError
from scripts.aws.tunnel import way_to
from tests.terraform.mocked import REGION
from tests.terraform.scenario import TOPIC, Person, plan

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

# Forwards one port, as the Session Manager does; names that only the private network knows stand in a file.
FAKE_AWS = """#!{python}
import json, signal, sys
sys.path.insert(0, {root!r})
from scripts.aws.tunnel import relay
assert sys.argv[1:3] == ["ssm", "start-session"], sys.argv
given = dict(pair.split("=") for pair in sys.argv[sys.argv.index("--parameters") + 1].split(","))
place = json.load(open({hosts!r})).get(given["host"] + ":" + given["portNumber"])
if place is None:
    sys.exit("An error occurred (TargetNotConnected) when calling the StartSession operation")
with relay("127.0.0.1", int(given["localPortNumber"]), place):
    signal.pause()
"""
ASK = """
import socket, sys
for place in sys.argv[1:]:
    host, _, port = place.rpartition(":")
    with socket.create_connection((host, int(port)), 10) as broker:
        broker.sendall(b"who are you?")
        broker.shutdown(socket.SHUT_WR)
        print(host, "is", broker.makefile().read())
"""


def with_kafka(person: Person, outputs: dict[str, Any], *, ca: bool) -> dict[str, Any]:
    """The outputs with the secrets that there are in the account."""
    secrets = person.account.client("secretsmanager")
    name = outputs["buckets"]["data"]
    user = json.dumps({"username": "detect", "password": "never-shown"})
    arns = {"detect": secrets.create_secret(Name=f"{name}-detect", SecretString=user)["ARN"]}
    if ca:
        arns["ca"] = secrets.create_secret(Name=f"{name}-ca", SecretString=PEM)["ARN"]
    return {**outputs, "kafka_secrets": arns}


@contextmanager
def dashboard(status: int) -> Iterator[str]:
    """The address of one that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/_stcore/health" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("ca", [True, False], ids=["brokers on EC2", "MSK"])
def test_the_settings_are_those_of_the_job(person: Person, *, ca: bool) -> None:
    outputs = with_kafka(person, person.stack(f"settings-{ca}".lower()), ca=ca)
    settings = load(smoke.settings_of(outputs))
    kafka = settings.kafka
    assert kafka.bootstrap_servers == outputs["bootstrap_servers"]
    assert (kafka.security_protocol, kafka.sasl_username) == ("SASL_SSL", "detect")
    assert kafka.sasl_password
    assert kafka.sasl_password.get_secret_value() == "never-shown"
    assert kafka.ca_pem == (PEM if ca else None)
    assert kafka.replication_factor == 3
    store = settings.object_store
    assert (store.bucket, store.region, store.endpoint_url) == (outputs["buckets"]["data"], REGION, None)


def test_a_stack_that_works_passes_and_what_does_not_is_named(
    person: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    outputs = person.stack("smoke")
    person.alert(outputs)
    with dashboard(200) as address:
        person.finds(plan(), outputs={**outputs, "dashboard_url": address})
        assert smoke.main(["--no-kafka"]) == 0
    assert "4 passed" in capfd.readouterr().out

    alarms = person.account.client("cloudwatch")
    alarm = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1.0}
    for name, topic in (("fraud-demo-lag", TOPIC), ("of-another", f"{TOPIC}-other")):
        alarms.put_metric_alarm(
            AlarmName=name, AlarmActions=[topic], MetricName="m", Namespace="n", Period=60, **alarm
        )
        alarms.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    person.account.client("emr").terminate_job_flows(JobFlowIds=[outputs["emr_cluster_id"]])
    empty = person.stack("smoke-empty")["buckets"]
    with dashboard(503) as address:
        person.finds(plan(), outputs={**outputs, "dashboard_url": address, "buckets": empty})
        assert smoke.main(["--no-kafka"]) == 1
    said = capfd.readouterr().out
    assert "4 failed" in said
    assert "fraud-demo-lag" in said
    assert "of-another" not in said


def test_without_a_stack_or_a_way_to_its_kafka_it_says_so(
    person: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    person.finds(plan())
    assert smoke.main([]) == 2
    assert "terraform/ has no stack in its state; scripts/deploy.sh makes one" in capfd.readouterr().err
    outputs = with_kafka(person, person.stack("no-way"), ca=True)
    person.finds(plan(), outputs=outputs)
    assert smoke.main([]) == 2  # there is no session-manager-plugin on this PATH
    said = "".join(capfd.readouterr())
    assert "no way to Kafka: " in said
    assert "run it on a machine inside the network, or leave this check out: --no-kafka" in said
    assert "never-shown" not in said


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[list[str]]:
    """The places of two brokers of a private network, to which a fake of the AWS CLI leads."""
    if shutil.which("unshare", path="/usr/bin:/bin") is None:
        pytest.skip("there is no unshare on this machine")
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=False, capture_output=True)  # noqa: S607
    if done.returncode != 0:
        pytest.skip(f"this machine lets nobody use unshare: {done.stderr.decode().strip()}")
    with ExitStack() as stack:
        places = {}
        for number in (1, 2):
            name = f"broker-{number}.kafka.fraud-demo.internal"

            class Broker(socketserver.StreamRequestHandler):
                named = name

                def handle(self) -> None:
                    assert self.rfile.read() == b"who are you?"
                    self.wfile.write(self.named.encode())

            server = stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Broker))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            places[f"{name}:9094"] = server.server_address[1]
        hosts = tmp_path / "hosts.json"
        hosts.write_text(json.dumps(places), "utf-8")
        root = str(Path(smoke.__file__).parents[2])
        aws = FAKE_AWS.format(python=sys.executable, root=root, hosts=str(hosts))
        for program, text in (("aws", aws), ("session-manager-plugin", "#!/bin/sh\n")):
            (tmp_path / program).write_text(text, "utf-8")
            (tmp_path / program).chmod(0o755)
        yield list(places)


def test_a_command_reaches_each_private_broker_by_its_name_at_its_own_port(
    person: Person, brokers: list[str]
) -> None:
    outputs = person.stack("tunnel")
    with way_to(brokers, outputs["emr_cluster_id"], REGION) as before:
        command = [*before, sys.executable, "-c", ASK, *brokers]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        f"{host} is {host}" for host in (broker.removesuffix(":9094") for broker in brokers)
    ], done.stderr


def test_a_tunnel_that_does_not_open_says_why(person: Person, brokers: list[str]) -> None:
    outputs = person.stack("closed")
    unknown = brokers[0].replace("broker-1", "broker-9")
    with (
        pytest.raises(CannotStartError, match=r"no tunnel to broker-9.*TargetNotConnected.*--no-kafka"),
        way_to([unknown], outputs["emr_cluster_id"], REGION),
    ):
        pass
