"""The containers of ECS by what Terraform renders: environment, secrets, commands, health checks, schedules.

They run as processes beside the job on EMR's node, with the brokers of EC2 and a real S3 server.
"""

import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports without saying so
    AdminClient,
    ConfigResource,
    ResourceType,
)
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from dashboard.identity import HEADER
from fraud.settings import DEFAULT_RULES, ObjectStoreSettings
from jobs.init import NotYetError, ensure_bucket
from jobs.topics import output_contracts, source_contract
from local.native.archived import archived_offsets
from local.native.drain import Backlog
from local.native.ports import HOST
from local.native.stack import Stack, opened_stack
from tests.faults.alert_readers import Bucket
from tests.integration.ec2_brokers import SECONDS, Brokers, until
from tests.integration.ecs import PORT, Container, Ecs, opened_ecs
from tests.integration.emr_node import PrimaryNode
from tests.integration.lane import Lane, free_ports, of_this_process, pairs_in
from tests.load_balancer import SIGNER, LoadBalancer

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An S3 server of its own, with Terraform's buckets."""
    ports = free_ports(of_this_process(25_000))
    with opened_stack(tmp_path_factory.mktemp("s3") / "state", ports) as store:
        store.start_object_store()
        for name in ("data", "work"):
            settings = store.settings.object_store.model_copy(update={"bucket": name})
            until(f"bucket {name}", partial(is_made, settings))
        yield store


def is_made(bucket: ObjectStoreSettings) -> bool:
    try:
        ensure_bucket(bucket, print)
    except NotYetError:
        return False
    return True


@pytest.fixture(scope="module")
def without_topics(brokers: Brokers) -> Iterator[Brokers]:
    """Brokers that are new; at the end they have the topics again, empty, for other tests."""
    kafka = brokers.kafka("detect")
    names = [kafka.transactions_topic, kafka.alerts_topic, kafka.rejected_topic]
    admin = AdminClient({**kafka.librdkafka(), "log_level": 0})

    def delete() -> None:
        for done in admin.delete_topics(names, operation_timeout=SECONDS).values():
            done.result()
        logs = [machine.root / "var/lib/kafka/logs" for machine in brokers.machines.values()]
        until(
            "no broker that knows the topics",
            lambda: not any((folder / f"{name}-0").exists() for folder in logs for name in names),
        )

    delete()
    yield brokers
    delete()
    brokers.make_topics()


@pytest.fixture(scope="module")
def ecs(without_topics: Brokers, store: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ecs]:
    with opened_ecs(without_topics, store, tmp_path_factory.mktemp("ecs"), store.ports.s3 + 8) as ecs:
        yield ecs


@dataclass(frozen=True)
class Run:
    """The job has judged all that the producer sent; both have ended."""

    lane: Lane
    init: Container
    producer: Container


@pytest.fixture(scope="module")
def run(ecs: Ecs, brokers: Brokers, store: Stack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    node = PrimaryNode(brokers, store, tmp_path_factory.mktemp("emr") / "node")
    lane = Lane(node.settings(), tmp_path_factory.mktemp("lane"))
    kafka, objects = lane.settings.kafka, lane.settings.object_store
    producer = ecs.start("producer")
    (init,) = [each for each in ecs.started if each is not producer]
    node.release("one", DEFAULT_RULES, FRAUD_ARCHIVE_TRIGGER="1s")
    bucket = Bucket(lane)

    def has_alerts() -> bool:
        assert producer.process.poll() is None, producer.said()
        return len(bucket.keys("alerts/")) > 0

    def logs() -> str:
        return f"{producer.said()}\n{node.log()}\n{brokers.logs()}"

    with node.running() as runner:
        node.wait_for("Spark is up")
        until("alerts in the bucket", has_alerts, logs)
        assert producer.stop() == 0, producer.said()
        archived = archived_offsets(objects, kafka.transactions_topic)
        with closing(Backlog(kafka)) as behind, closing(Backlog(kafka, archived)) as archive:
            until("all judged and archived", lambda: behind.records() == archive.records() == 0, logs)
    assert runner.returncode == 0, node.log()
    return Run(lane, init, producer)


def test_init_makes_the_topics_of_the_contract_before_the_producer_starts(run: Run, brokers: Brokers) -> None:
    kafka = brokers.kafka()
    contracts = [source_contract(kafka), *output_contracts(kafka, 7 * 86_400_000)]
    for contract in contracts:
        made = f"topic {contract.name}: created with {contract.partitions} partitions"
        assert made in run.init.said()
    assert "bucket data: is there" in run.init.said()
    admin = AdminClient({**kafka.librdkafka()})
    topics = admin.list_topics(timeout=SECONDS).topics
    for contract in contracts:
        resource = ConfigResource(ResourceType.TOPIC, contract.name)
        settings = admin.describe_configs([resource])[resource].result()
        assert contract.corrections({name: str(entry.value) for name, entry in settings.items()}) == {}
        partitions = topics[contract.name].partitions.values()
        assert [len(each.replicas) for each in partitions] == [3] * contract.partitions
    assert kafka.partitions == 8


def test_what_the_producer_sends_is_judged_exactly(run: Run) -> None:
    pairs = pairs_in(run.lane.bucket())
    assert len(pairs) == len(set(pairs)) > 0
    assert set(pairs) == run.lane.expected().alerts


def test_no_secret_is_in_a_log(run: Run, brokers: Brokers) -> None:
    said = run.init.said() + run.producer.said()
    assert [password for password in brokers.passwords() if password in said] == []


# --- the dashboard -----------------------------------------------------------------------------------------


def address(container: Container) -> str:
    return f"{HOST}:{container.environment['STREAMLIT_SERVER_PORT']}"


def page(container: Container, **headers: str) -> list[Element]:
    """What a tab shows when it has just been opened, as a browser gets it."""
    shown: list[Element] = []
    with connect(f"ws://{address(container)}/_stcore/stream", additional_headers=headers) as tab:
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        tab.send(ask.SerializeToString())
        while True:
            message = ForwardMsg.FromString(tab.recv(timeout=SECONDS, decode=False))
            if message.delta.HasField("new_element"):
                shown.append(message.delta.new_element)
            if message.WhichOneof("type") == "script_finished":
                return shown


def test_the_dashboard_is_healthy_by_container_and_load_balancer_and_shows_the_bucket(
    run: Run, ecs: Ecs, brokers: Brokers
) -> None:
    dashboard = ecs.start("dashboard")
    until("a healthy container", dashboard.is_healthy, dashboard.said)
    group = brokers.stack.one("aws_lb_target_group", index="dashboard").values
    (check,) = group["health_check"]
    rendered = {each["name"]: each["value"] for each in dashboard.rendered["environment"]}
    (mapping,) = dashboard.rendered["portMappings"]
    ports = {rendered["STREAMLIT_SERVER_PORT"], str(group["port"]), str(mapping["containerPort"])}
    assert ports == {PORT}
    with urllib.request.urlopen(f"http://{address(dashboard)}{check['path']}", timeout=SECONDS) as answer:
        assert str(answer.status) == check["matcher"]
    alerts = len(pairs_in(run.lane.bucket()))

    def figures() -> dict[str, str]:
        metrics = [each.metric for each in page(dashboard) if each.HasField("metric")]
        return {each.label: each.body for each in metrics}

    until("all alerts on the page", lambda: figures().get("Alerts") == f"{alerts:,}", lambda: str(figures()))
    assert [each for each in page(dashboard) if "Signed in" in each.text.body] == []
    assert dashboard.stop() == 0
    assert "Traceback" not in dashboard.said()


def test_the_header_of_a_log_in_reaches_the_dashboard(ecs: Ecs) -> None:
    dashboard = ecs.start("dashboard", FRAUD_LOGIN_SIGNER=SIGNER)
    until("a healthy container", dashboard.is_healthy, dashboard.said)
    # Of the right signer it would go to AWS for the key.
    token = LoadBalancer().token(signer=f"{SIGNER}0", exp=2**40)
    for headers, why in (({}, "has no header"), ({HEADER: token}, "another load balancer signed it")):
        assert why not in dashboard.said()
        shown = [each.text.body for each in page(dashboard, **headers)]
        assert "Signed in: unverified" in shown
        assert why in dashboard.said()
    assert dashboard.stop() == 0


# --- maintenance -------------------------------------------------------------------------------------------


def test_the_schedules_commands_reconcile_and_compact(run: Run, ecs: Ecs) -> None:
    reconcile = ecs.run_schedule("reconcile")
    assert reconcile.process.returncode == 0, reconcile.said()
    assert re.search(r"late payments before|no payment has come late", reconcile.said())
    bucket = Bucket(run.lane)
    bucket.age()
    alerts = bucket.of_alerts()
    compact = ecs.run_schedule("compact")
    assert compact.process.returncode == 0, compact.said()
    assert re.search(r"are closed: [1-9]\d* compacted", compact.said()), compact.said()
    assert bucket.of_hourly() == alerts == Counter(alerts.keys())
