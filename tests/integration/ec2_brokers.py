"""Three real brokers by the user data that Terraform renders for EC2, and its settings for who uses them.

Only their addresses differ from EC2: all three listen on loopback, at ports of their own. The controllers
know each other by their real names. The resolver of other clients cannot be told such names: they take
`localhost`, which the certificates hold here, too.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from confluent_kafka.admin import AdminClient

from fraud.environment import load
from fraud.settings import KafkaSettings
from jobs.init import NotYetError, ensure_topics
from local.native.jars import FOLDER as JARS
from local.native.java import find_java
from tests.integration.ec2_account import bring_program, bring_secrets
from tests.integration.ec2_machine import Machine
from tests.integration.lane import free_ports, of_this_process
from tests.replicas import are_in_sync
from tests.terraform.account_folder import environment, file_of, opened_account
from tests.terraform.mocked import Stack
from tests.terraform.promises_clusters import user_data
from tests.terraform.promises_services import containers

SECONDS = 120
NODES = (1, 2, 3)
_LOOK = 0.2


def until(what: str, condition: Callable[[], bool], log: Callable[[], str] = str) -> None:
    """Wait until `condition` holds. Raises AssertionError after SECONDS, with what the `log` says then."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not in {SECONDS} s: {what}\n{log()}"
        time.sleep(_LOOK)


@dataclass(frozen=True)
class Brokers:
    """`account` holds their secrets; `first_port` is the first of six."""

    stack: Stack
    account: Path
    java_home: Path
    machines: Mapping[int, Machine]
    first_port: int

    @property
    def domain(self) -> str:
        """What the brokers' names end with."""
        return _domain(self.stack)

    def client_port(self, number: int) -> int:
        """Where a broker listens to clients."""
        return self.first_port + number - 1

    def controller_port(self, number: int) -> int:
        """Where its controller listens."""
        return self.first_port + len(NODES) + number - 1

    def at_home(self, text: str) -> str:
        """Addresses of brokers, as rendered, in the form in which they are reached here."""
        name = rf"broker-(\d)\.{re.escape(self.domain)}:9094"
        return re.sub(name, lambda found: f"localhost:{self.client_port(int(found[1]))}", text)

    # --- what Terraform gives to those who use Kafka -----------------------------------------------------

    def container(self, component: str, index: int = 0) -> dict[str, str]:
        """The environment of a container as ECS makes it, secrets and all."""
        rendered = containers(self.stack, component)[index]
        values = {each["name"]: self.at_home(each["value"]) for each in rendered["environment"]}
        for each in rendered["secrets"]:
            arn, field = re.fullmatch(r"(.+?:secret:[^:]+)(?::(\w+)::)?", each["valueFrom"]).groups()  # type: ignore[union-attr]  # else ECS refuses it, too
            values[each["name"]] = self._secret(arn, field)
        return values

    def job(self) -> dict[str, str]:
        """The job's settings as the runner on EMR makes them of the release."""
        release = json.loads(self.stack.one("aws_s3_object", "release").values["content"])
        values = {name: self.at_home(value) for name, value in release["settings"].items()}
        for name, place in release["secrets"].items():
            arn, _, field = place.partition("#")
            values[name] = self._secret(arn, field)
        return values

    def kafka(self, component: str = "producer") -> KafkaSettings:
        """The settings of the producer, or of `detect`, as the program reads them."""
        given = self.job() if component == "detect" else self.container(component)
        return load({name: value for name, value in given.items() if name.startswith("FRAUD_")}).kafka

    def passwords(self) -> set[str]:
        """Of all users."""
        secrets = [each for each in self.stack.of("aws_secretsmanager_secret") if each.name == "kafka"]
        return {self._secret(each.values["arn"], "password") for each in secrets}

    def _secret(self, arn: str, field: str | None) -> str:
        text = file_of(self.account, arn).read_text("utf-8")
        return str(json.loads(text)[field]) if field else text

    # --- their life --------------------------------------------------------------------------------------

    def start(self, *numbers: int) -> None:
        """Start the brokers of these machines."""
        for number in numbers:
            self.machines[number].start(partial(self._here, number))

    def _here(self, number: int, rendered: Mapping[str, str]) -> dict[str, str]:
        """What differs here from the broker's file."""
        ports = {"9093": self.controller_port(number), "9094": self.client_port(number)}

        def of_voter(found: re.Match[str]) -> str:
            return f"{found[1]}:{self.controller_port(int(found[2]))}"

        return {
            "listeners": re.sub(r"://:(\d+)", lambda f: f"://localhost:{ports[f[1]]}", rendered["listeners"]),
            "advertised.listeners": self.at_home(rendered["advertised.listeners"]),
            "controller.quorum.voters": re.sub(
                r"(broker-(\d)[^:,]+):9093", of_voter, rendered["controller.quorum.voters"]
            ),
            # Without a word of a broker for so long, others lead its partitions; usually 9 s.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
        }

    def logs(self) -> str:
        """The end of what each machine has said."""
        return "\n".join(f"broker {each.number}:\n{each.logs()[-3000:]}" for each in self.machines.values())

    def leader(self, *numbers: int) -> int:
        """The leader on which the controllers of these machines agree, or 0."""
        states = {self.machines[number].quorum() for number in numbers}
        return max(states)[1] if len(states) == 1 else 0

    def make_topics(self) -> None:
        """As `jobs.init` does: again while a broker has not yet heard of what another one has made."""

        def are_made() -> bool:
            try:
                ensure_topics(self.kafka("detect"), print)
            except NotYetError as error:
                print(error)
                return False
            return True

        until("the topics", are_made, self.logs)

    def are_whole(self, *topics: str) -> bool:
        """Whether all three are there, and each replica of these topics is in sync."""
        admin = AdminClient({**self.kafka().librdkafka(), "log_level": 0})
        return are_in_sync(admin, len(NODES), *topics)


def _domain(stack: Stack) -> str:
    return f"kafka.{stack.options['name']}.internal"


@contextmanager
def opened_brokers(stack: Stack, folder: Path) -> Iterator[Brokers]:
    """Machines prepared by their user data, brokers started; at the end none of them runs any more."""
    account = opened_account(folder)
    scripts = {n: user_data(stack.one("aws_instance", "broker", str(n)).values) for n in NODES}
    bring_secrets(account, stack)
    bring_program(account, scripts[1], (JARS / "broker").glob("*.jar"))
    hosts = folder / "hosts"
    names = ["localhost", *(f"broker-{number}.{_domain(stack)}" for number in NODES)]
    hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in names), "utf-8")
    # The second compiler never earns back its time in a minute.
    options = {"JAVA_TOOL_OPTIONS": f"-XX:TieredStopAtLevel=1 -Djdk.net.hosts.file={hosts}"}
    java_home = find_java()
    machines = {
        number: Machine(
            number, script, folder / f"machine-{number}", java_home, environment(account) | options
        )
        for number, script in scripts.items()
    }
    with ThreadPoolExecutor(len(NODES)) as pool:
        for done in pool.map(Machine.first_start, machines.values()):
            assert done.returncode == 0, done.stdout + done.stderr
    brokers = Brokers(stack, account, java_home, machines, free_ports(of_this_process(27_000)).kafka)
    try:
        brokers.start(*NODES)
        until(
            "three brokers with one leader",
            lambda: brokers.leader(*NODES) > 0 and brokers.are_whole(),
            brokers.logs,
        )
        yield brokers
    finally:
        for machine in machines.values():
            machine.kill()
