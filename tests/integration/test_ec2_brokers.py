"""Kafka on EC2 is real: three brokers by the user data as rendered, and who uses them by its own settings."""

import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from fraud.settings import KafkaSettings
from local.native.findings import read_topic
from local.native.jars import FOLDER as JARS
from tests.guide import blocks
from tests.integration.ec2_account import bring_program, build_environment
from tests.integration.ec2_brokers import NODES, SECONDS, Brokers, until
from tests.integration.ec2_machine import Machine
from tests.integration.lane import ROOT
from tests.terraform.account_folder import environment, file_of, make_certificates, opened_account
from tests.terraform.promises_clusters import user_data

CONFIG_COMMAND = ["-XX:TieredStopAtLevel=1", "-cp", f"{JARS / 'broker'}/*", "kafka.admin.ConfigCommand"]


# --- the machines ------------------------------------------------------------------------------------------


def test_a_machine_brings_disk_program_and_service_once(brokers: Brokers) -> None:
    machine = brokers.machines[1]
    calls = machine.calls()
    (made,) = [call for call in calls if call.startswith("mkfs.xfs")]
    assert re.fullmatch(r"mkfs\.xfs -L kafka \S+/nvme-Amazon_Elastic_Block_Store_vol\w+", made)
    assert any(call.startswith("dnf ") and "java-17-amazon-corretto-headless" in call for call in calls)
    assert calls[-2:] == ["systemctl daemon-reload", "systemctl enable --now kafka.service"]
    before = {
        path: (machine.root / path).read_bytes() for path in ("etc/fstab", "etc/kafka/server.properties")
    }
    identity = (machine.root / "var/lib/kafka/logs/meta.properties").read_bytes()

    again = machine.first_start()

    assert again.returncode == 0, again.stderr
    assert [call for call in machine.calls() if call.startswith(("mkfs.xfs", "mount "))] == [
        made,
        f"mount {machine.root}/var/lib/kafka",
    ]
    assert {path: (machine.root / path).read_bytes() for path in before} == before
    assert (machine.root / "var/lib/kafka/logs/meta.properties").read_bytes() == identity
    assert machine.is_running()


def test_keys_and_passwords_are_for_root_and_the_group_alone(brokers: Brokers) -> None:
    for machine in brokers.machines.values():
        folder = machine.root / "etc" / "kafka"
        assert folder.stat().st_mode & 0o7777 == 0o750
        for file in folder.iterdir():
            assert file.stat().st_mode & 0o7777 == 0o640, file
        assert f"chgrp kafka {' '.join(sorted(str(file) for file in folder.iterdir()))}" in machine.calls()
        said = machine.logs()
        assert "Kafka Server started" in said
        assert not [password for password in brokers.passwords() if password in said]


def test_the_unit_is_one_that_systemd_takes(brokers: Brokers, tmp_path: Path) -> None:
    service = brokers.machines[1].unit()["Service"]
    assert (service["User"], service["Restart"]) == ("kafka", "always")
    assert service["SuccessExitStatus"] == "143"  # what Java ends with when it is asked to stop
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not there")
    unit = (brokers.machines[1].root / "etc/systemd/system/kafka.service").read_text("utf-8")
    file = tmp_path / "kafka.service"
    file.write_text(unit.replace("/usr/bin/java", str(brokers.java_home / "bin" / "java")), "utf-8")
    done = subprocess.run(
        [verify, "verify", "--man=no", file], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_agent_sends_logs_and_disk_to_this_stacks_places(brokers: Brokers) -> None:
    machine = brokers.machines[2]
    agent = json.loads((machine.root / "opt/aws/amazon-cloudwatch-agent/etc/fraud.json").read_text("utf-8"))
    logs = agent["logs"]["logs_collected"]["files"]["collect_list"]
    group = brokers.stack.one("aws_cloudwatch_log_group", "brokers").values["name"]
    assert {each["log_group_name"] for each in logs} == {group}
    assert logs[0]["file_path"] == machine.unit()["Service"]["StandardOutput"].removeprefix("append:")
    disk = agent["metrics"]["metrics_collected"]["disk"]
    assert disk["resources"] == [machine.properties()["log.dirs"].removesuffix("/logs")]
    assert disk["append_dimensions"] == {"Broker": "2"}


def test_a_program_that_is_not_the_builds_is_not_installed(brokers: Brokers, tmp_path: Path) -> None:
    script = user_data(brokers.stack.one("aws_instance", "broker", "1").values)
    account = opened_account(tmp_path)
    archive = bring_program(account, script, [ROOT / "README.md"])
    archive.write_bytes(archive.read_bytes() + b"more")
    machine = Machine(1, script, tmp_path / "machine", brokers.java_home, environment(account))
    assert machine.first_start().returncode != 0
    assert not (machine.root / "opt" / "kafka").exists()
    assert not any(call.startswith("systemctl") for call in machine.calls())


# --- who is let in -----------------------------------------------------------------------------------------


def wait_until_refused(options: Mapping[str, str], code: int) -> None:
    """Until a client says with this code that it is not let in. Raises AssertionError when it is."""
    said: set[int] = set()
    more = {
        "broker.address.family": "v4",  # nobody listens to version 6: that is no refusal
        "error_cb": lambda error: said.add(error.code()),
        "log_level": 0,
    }
    client = AdminClient({**options, **more})  # type: ignore[dict-item]  # its types lack callbacks

    def has_complained() -> bool:
        with pytest.raises(KafkaException):
            client.list_topics(timeout=1)
        client.poll(0)
        return code in said

    until(f"a client that is refused with {code}", has_complained, lambda: str(said))


# Who speaks no TLS is hung up on, by every broker.
LET_IN_BY_NONE = {
    "a wrong password": ({"sasl.password": "wrong"}, KafkaError._AUTHENTICATION),
    "a user that is not there": ({"sasl.username": "nobody"}, KafkaError._AUTHENTICATION),
    "another mechanism": ({"sasl.mechanism": "SCRAM-SHA-256"}, KafkaError._AUTHENTICATION),
    "a password in the clear": ({"security.protocol": "SASL_PLAINTEXT"}, KafkaError._ALL_BROKERS_DOWN),
    "neither log-in nor encryption": ({"security.protocol": "PLAINTEXT"}, KafkaError._ALL_BROKERS_DOWN),
}


@pytest.mark.parametrize("what", LET_IN_BY_NONE)
def test_brokers_refuse(what: str, brokers: Brokers) -> None:
    different, code = LET_IN_BY_NONE[what]
    good = brokers.kafka().librdkafka()
    assert len(AdminClient({**good}).list_topics(timeout=SECONDS).brokers) == len(NODES)
    wait_until_refused(good | different, code)


def of_another_authority(brokers: Brokers, folder: Path, name: str) -> Path:
    """A PEM file as the build makes it, in another account."""
    account = opened_account(folder)
    make_certificates(account, build_environment(brokers.stack))
    return file_of(account, brokers.stack.one("aws_secretsmanager_secret", "certificate", name).values["arn"])


def test_clients_refuse_brokers_of_another_authority_and_under_another_name(
    brokers: Brokers, tmp_path: Path
) -> None:
    good = brokers.kafka().librdkafka()
    ca = of_another_authority(brokers, tmp_path, "ca")
    wait_until_refused(good | {"ssl.ca.pem": ca.read_text("utf-8")}, KafkaError._SSL)
    elsewhere = good["bootstrap.servers"].replace("localhost", "127.0.0.1")
    wait_until_refused(good | {"bootstrap.servers": elsewhere}, KafkaError._SSL)


def question(key: int, body: bytes = b"") -> bytes:
    """A request of Kafka's protocol: length, key, version 0, number 7, no name of a client, body."""
    request = b"".join(value.to_bytes(2, "big") for value in (key, 0, 0, 7, 0xFFFF)) + body
    return len(request).to_bytes(4, "big") + request


VERSIONS = question(18)  # ApiVersions, which asks nobody who he is
METADATA = question(3, bytes(4))  # a list of no topics: it asks for all


def is_answered(question: bytes, connection: socket.socket) -> bool:
    """Whether a whole answer comes; else the connection has ended."""
    connection.sendall(question)
    with connection.makefile("rb") as answers:
        length = int.from_bytes(answers.read(4), "big")
        return length > 0 and len(answers.read(length)) == length


@contextmanager
def encrypted(
    brokers: Brokers, number: int, port: int, certificate: Path | None = None
) -> Iterator[ssl.SSLSocket]:
    """A connection to a broker's or controller's port, which comes with this certificate, or with none."""
    context = ssl.create_default_context(cafile=brokers.machines[number].root / "etc/kafka/ca.pem")
    if certificate:
        context.load_cert_chain(certificate)
    name = f"broker-{number}.{brokers.domain}"  # whose certificate it must show
    with (
        socket.create_connection(("127.0.0.1", port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        yield connection


def test_brokers_hang_up_on_who_asks_for_more_than_versions_without_a_log_in(brokers: Brokers) -> None:
    for number in NODES:
        with encrypted(brokers, number, brokers.client_port(number)) as connection:
            assert is_answered(VERSIONS, connection)
            assert not is_answered(METADATA, connection)
    why = "Unexpected Kafka request of type METADATA during SASL handshake"
    until(
        "each broker's own word for it",
        lambda: all(why in machine.logs() for machine in brokers.machines.values()),
        brokers.logs,
    )


def test_no_port_answers_in_the_clear(brokers: Brokers) -> None:
    for number in NODES:
        for port in (brokers.client_port(number), brokers.controller_port(number)):
            with socket.create_connection(("127.0.0.1", port), SECONDS) as plain:
                plain.sendall(VERSIONS)
                # Kafka's answer begins with its length; there may be TLS's, that this is none.
                assert plain.recv(4)[:1] != b"\0"


def does_controller_answer(brokers: Brokers, number: int, certificate: Path | None) -> bool:
    """Whether a controller answers who comes with this certificate, or with none."""
    try:
        with encrypted(brokers, number, brokers.controller_port(number), certificate) as connection:
            return is_answered(VERSIONS, connection)
    except (ssl.SSLError, ConnectionError):
        return False


def test_controllers_answer_only_who_has_a_certificate_of_the_authority(
    brokers: Brokers, tmp_path: Path
) -> None:
    foreign = of_another_authority(brokers, tmp_path, "broker-1")
    for number in NODES:
        own = brokers.machines[number % 3 + 1].root / "etc/kafka/broker.pem"
        assert does_controller_answer(brokers, number, own)
        assert not does_controller_answer(brokers, number, None)
        assert not does_controller_answer(brokers, number, foreign)


# --- who uses them -----------------------------------------------------------------------------------------


def test_topics_and_payments_come_by_the_producers_settings_and_are_read_by_the_jobs(
    brokers: Brokers,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "producer", "--no-log", "--count", "300", "--rate", "300", "--seed", "1"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **brokers.container("producer")},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    kafka = brokers.kafka("detect")
    assert len(list(read_topic(kafka, kafka.transactions_topic))) == 300
    metadata = AdminClient({**kafka.librdkafka()}).list_topics(timeout=SECONDS)
    partitions = metadata.topics[kafka.transactions_topic].partitions.values()
    assert [len(partition.replicas) for partition in partitions] == [3] * 8
    # The checkpoint's folder is this cluster's.
    assert brokers.job()["FRAUD_CHECKPOINT"].rsplit("/", 1)[1] == metadata.cluster_id


def described(java: Path, servers: str, properties: Path) -> str:
    """What a Java client says of the topic `transactions`, with the properties of a file."""
    question = ["--describe", "--entity-type", "topics", "--entity-name", "transactions"]
    done = subprocess.run(
        [java, *CONFIG_COMMAND, "--bootstrap-server", servers, "--command-config", properties, *question],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    return done.stdout + done.stderr


def test_sparks_kafka_client_connects_by_the_jobs_settings(brokers: Brokers, tmp_path: Path) -> None:
    kafka = brokers.kafka("detect")
    properties = tmp_path / "client.properties"
    lines = (
        f"{name.removeprefix('kafka.')}={value}".replace("\n", "\\n") for name, value in kafka.spark().items()
    )
    properties.write_text("\n".join(lines) + "\n", "utf-8")
    said = described(brokers.java_home / "bin" / "java", kafka.bootstrap_servers, properties)
    assert "message.timestamp.type=LogAppendTime" in said


KAFDROP = """#!/bin/sh
# In the place of the image's own: asks as its client does, with the file that it reads.
echo "secrets in the environment: ${KAFKA_USERNAME:-}${KAFKA_PASSWORD:-}${KAFKA_CA_PEM:-}"
exec java CONFIG_COMMAND --bootstrap-server "$KAFKA_BROKERCONNECT" \\
  --command-config "$KAFKA_PROPERTIES_FILE" --describe --entity-type topics --entity-name transactions
"""


def test_kafdrop_connects_by_the_file_that_its_start_writes(brokers: Brokers, tmp_path: Path) -> None:
    program = tmp_path / "kafdrop.sh"
    program.write_text(KAFDROP.replace("CONFIG_COMMAND", shlex.join(CONFIG_COMMAND)), "utf-8")
    program.chmod(0o755)
    given = brokers.container("kafdrop")
    there = Path(given["KAFKA_PROPERTIES_FILE"])
    properties = tmp_path / there.name
    (script,) = json.loads(
        brokers.stack.one("aws_ecs_task_definition", "these", "kafdrop").values["container_definitions"]
    )[0]["command"]
    here = script.replace(f"{there.parent}/", f"{tmp_path}/").replace("exec /kafdrop.sh", f"exec {program}")
    done = subprocess.run(
        ["/bin/sh", "-c", here],
        env={
            **given,
            "PATH": f"{brokers.java_home / 'bin'}:{os.environ['PATH']}",
            "KAFKA_PROPERTIES_FILE": str(properties),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert "message.timestamp.type=LogAppendTime" in done.stdout, done.stdout + done.stderr
    assert "secrets in the environment: \n" in done.stdout
    assert properties.stat().st_mode & 0o777 == 0o600


# --- what the operations guide does to them ---------------------------------------------------------------


def typed(script: str, brokers: Brokers, folder: Path) -> None:
    """Run commands of the guide in `folder`, where this account is AWS, and the first machine the broker."""
    machine = brokers.machines[1]
    for there, here in (
        ("/etc/kafka/", f"{machine.root}/etc/kafka/"),
        ("/opt/kafka/", f"{machine.root}/opt/kafka/"),
        ("broker-1.kafka.$NAME.internal:9094", f"localhost:{brokers.client_port(1)}"),
    ):
        script = script.replace(there, here)
    given = environment(brokers.account)
    path = f"{brokers.java_home / 'bin'}:{given['PATH']}"
    name = str(brokers.stack.options["name"])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
        cwd=folder,
        env=given | {"PATH": path, "NAME": name, "user": "producer"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_password_changes_by_the_commands_of_the_guide(brokers: Brokers, tmp_path: Path) -> None:
    before = brokers.kafka()
    secret_changes, brokers_learn = [each for each in blocks("bash") if "AmazonMSK_" in each]
    typed(secret_changes, brokers, tmp_path)
    after = brokers.kafka()
    assert after != before

    typed(brokers_learn, brokers, tmp_path)

    assert list(tmp_path.iterdir()) == []  # passwords have lain here
    for number in NODES:
        server = f"localhost:{brokers.client_port(number)}"
        client = AdminClient({**after.librdkafka(), "bootstrap.servers": server, "log_level": 0})

        def is_let_in(client: AdminClient = client) -> bool:
            try:
                return bool(client.list_topics(timeout=5))
            except KafkaException:  # it has not heard of the new one yet
                return False

        until(f"broker {number}, which takes the new password", is_let_in, brokers.logs)
    wait_until_refused(before.librdkafka(), KafkaError._AUTHENTICATION)


# --- what they survive -------------------------------------------------------------------------------------


def sent(kafka: KafkaSettings, first: int, count: int) -> None:
    """Send records, each with its number, until every one is acknowledged."""
    failures: list[KafkaError] = []
    producer = Producer(kafka.librdkafka() | {"enable.idempotence": "true", "log_level": "0"})
    for number in range(first, first + count):
        producer.produce(
            kafka.alerts_topic,
            str(number).encode(),
            str(number).encode(),
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
    assert producer.flush(SECONDS) == 0
    assert failures == []


@pytest.mark.timeout(300)
def test_nothing_is_lost_when_the_leader_is_killed_and_its_disk_with_it(brokers: Brokers) -> None:
    kafka = brokers.kafka()
    topics = (kafka.transactions_topic, kafka.alerts_topic)
    sent(kafka, 0, 200)
    until("three that agree", lambda: brokers.leader(*NODES) > 0)
    lost = brokers.leader(*NODES)
    others = [number for number in NODES if number != lost]

    brokers.machines[lost].kill()
    sent(kafka, 200, 200)
    until("another leader", lambda: brokers.leader(*others) in others, brokers.logs)
    brokers.machines[lost].lose_disk()
    prepared = brokers.machines[lost].first_start()
    assert prepared.returncode == 0, prepared.stderr
    brokers.start(lost)
    until("all three whole again", lambda: brokers.are_whole(*topics), brokers.logs)

    # Only with the copy on the new disk are there two, without which nothing is acknowledged.
    away = others[0]
    assert brokers.machines[away].stop() == 143
    sent(kafka, 400, 100)
    read = {int(record.sent.key or b"") for record in read_topic(kafka, kafka.alerts_topic)}
    assert read == set(range(500))
    brokers.start(away)
    until("all three whole again", lambda: brokers.are_whole(*topics), brokers.logs)
