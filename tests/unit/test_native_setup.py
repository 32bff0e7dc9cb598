"""What is checked before anything starts: jars, Java, ports, options, environment, state folder."""

import hashlib
import os
import socket
import ssl
import stat
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.native import __main__ as native
from local.native import demo, java, object_store
from local.native.arguments import Wishes, parsed
from local.native.broker import BrokerError, new_cluster_id, prepare, properties
from local.native.demo import planned_run
from local.native.environment import child_environment
from local.native.export import ExportError
from local.native.figures import Summary
from local.native.findings import UnreadableError
from local.native.jars import PINNED, Jar, JarsError, read_pinned, wanting
from local.native.java import Java, NoJavaError, find_java, wrapped_home
from local.native.object_store import Credentials, credentials
from local.native.ports import HOST, Ports, PortsError, check_ports, is_free
from local.native.preflight import DemoError, check
from local.native.stack import opened_stack
from local.native.state import StateError, clear, opened
from local.native.trust import trust_store

# --- jars


def test_the_pinned_list_is_read_and_has_its_groups() -> None:
    jars = read_pinned(PINNED.read_text())
    assert {jar.group for jar in jars} == {"broker", "connector", "s3a"}
    assert len({jar.path(Path()) for jar in jars}) == len(jars)


def test_spark_and_broker_have_kafka_clients_of_their_own() -> None:
    clients = {
        jar.group: jar.coordinate
        for jar in read_pinned(PINNED.read_text())
        if ":kafka-clients:" in jar.coordinate
    }
    assert clients == {
        "broker": "org.apache.kafka:kafka-clients:4.1.1",
        "connector": "org.apache.kafka:kafka-clients:3.9.1",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[broker]\n"org:name" = "' + "0" * 64 + '"', "no Maven coordinate"),
        ('[broker]\n"org:name:1" = "abc"', "no SHA-256"),
    ],
)
def test_a_wrong_pin_is_named(text: str, message: str) -> None:
    with pytest.raises(JarsError, match=message):
        read_pinned(text)


def test_missing_and_damaged_jars_are_wanting_and_whole_ones_are_not(tmp_path: Path) -> None:
    jars = [Jar("broker", f"org:{name}:1", hashlib.sha256(b"whole").hexdigest()) for name in ("a", "b", "c")]
    (tmp_path / "broker").mkdir()
    jars[0].path(tmp_path).write_bytes(b"whole")
    jars[1].path(tmp_path).write_bytes(b"whol")
    assert wanting(jars, tmp_path) == jars[1:]


# --- Java


def machine(folder: Path, version: str) -> Path:
    """A Java home whose `java` says that it is of this version."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    lines = f"    java.home = {folder}\n    java.specification.version = {version}"
    program.write_text(f"#!/bin/sh\necho '{lines}' >&2\n")
    program.chmod(0o755)
    return folder


def test_java_home_goes_before_path(tmp_path: Path) -> None:
    first, second = machine(tmp_path / "first", "17"), machine(tmp_path / "second", "21")
    environ = {"JAVA_HOME": str(first), "PATH": f"{second}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"}
    assert find_java(environ) == first


def test_an_old_java_is_passed_over(tmp_path: Path) -> None:
    old, new = machine(tmp_path / "old", "1.8"), machine(tmp_path / "new", "21")
    environ = {"JAVA_HOME": str(old), "PATH": f"{new}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"}
    assert java.inspect(old / "bin" / "java") == Java(old, 8)
    assert find_java(environ) == new


def test_a_java_home_without_java_is_passed_over(tmp_path: Path) -> None:
    new = machine(tmp_path / "new", "17")
    environ = {"JAVA_HOME": str(tmp_path / "gone"), "PATH": f"{new}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"}
    assert find_java(environ) == new


def test_without_any_java_the_message_says_where_it_looked_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoJavaError, match=r"JAVA_HOME \(not set\).*scripts/demo\.sh"):
        find_java({"PATH": str(tmp_path)}, wheel=lambda: None)


def test_the_wheel_s_java_drops_the_module_that_it_lacks_and_passes_the_rest(tmp_path: Path) -> None:
    real = tmp_path / "it's real"
    (real / "bin").mkdir(parents=True)
    (real / "bin" / "java").write_text('#!/bin/sh\nfor a in "$@"; do echo "[$a]" >&2; done\n')
    (real / "bin" / "java").chmod(0o755)
    home = wrapped_home(real, tmp_path / "home")
    said = os.popen(  # noqa: S605  # the quoting of a shell is what is tested
        f"'{home}/bin/java' --add-modules=jdk.incubator.vector -Xmx1g 'a b' '' 2>&1"
    ).read()
    assert said == "[-Xmx1g]\n[a b]\n[]\n"


def test_the_trust_store_is_one_that_java_reads(tmp_path: Path) -> None:
    certificates = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not certificates:
        pytest.skip("Python lists no certificate authorities here: install ca-certificates")
    keytool = find_java() / "bin" / "keytool"
    if not keytool.exists():
        pytest.skip("this Java has no keytool: install a JDK")
    (tmp_path / "store").write_bytes(trust_store(certificates, 1_700_000_000_000))
    listed = subprocess.run(
        [keytool, "-list", "-keystore", tmp_path / "store", "-storepass", "changeit"],
        capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    ).stdout  # fmt: skip
    assert f"contains {len(certificates)} entries" in listed


# --- ports


def test_a_taken_port_is_named_with_its_option() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(PortsError, match=rf"port {port} \(Kafka\) is taken.*--kafka-port"):
            check_ports({port: ("Kafka", "--kafka-port")})
    check_ports({port: ("Kafka", "--kafka-port")})


def test_a_port_on_which_somebody_listens_at_all_addresses_is_taken() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104  # it accepts nothing
        assert not is_free(server.getsockname()[1])


def test_a_port_that_answers_is_taken_even_where_one_could_bind_beside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server((HOST, 0)) as server:
        monkeypatch.setattr(socket.socket, "bind", lambda *_: None)  # as macOS may let one
        assert not is_free(server.getsockname()[1])


def test_two_servers_cannot_have_one_port() -> None:
    with pytest.raises(PortsError, match=r"both Kafka and the S3 server.*--s3-port"):
        Ports(kafka=9012, controller=9093, s3=9010).wanted()


def test_all_ports_of_a_stack_are_its_own() -> None:
    assert len(Ports().wanted()) == 10


# --- options


def test_the_options_of_the_demo_are_read() -> None:
    given = parsed(["demo", "--rate", "max", "--duration", "60", "--headless", "--kafka-port", "9192"])
    assert given.wishes == Wishes(rate="max", duration=60, headless=True)
    assert given.ports == Ports(kafka=9192, controller=9193, s3=9010, dashboard=8501)
    assert not given.is_open_ended


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["dance"], ["demo", "--duration", "0"], ["demo", "--duration", "nan"],
        ["demo", "--duration", "soon"], ["demo", "--kafka-port", "80"], ["up", "--rate", "5"],
    ],
)  # fmt: skip
def test_a_wrong_command_line_ends_with_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed(arguments)
    assert end.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["demo", "--duration", "abc"], "--duration: 'abc' is not a number of seconds above 0, such as 60"),
        (["demo", "--kafka-port", "abc"], "--kafka-port: 'abc' is not a port: a whole number from 1024"),
        (["up", "--s3-port", "9010.5"], "--s3-port: '9010.5' is not a port"),
    ],
)
def test_a_wrong_option_is_told_in_words_of_its_own(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(arguments)
    said = capsys.readouterr().err
    assert says in said
    assert "invalid" not in said


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (Wishes(rate="abc", duration=1), "--rate 'abc' is not a number such as 20"),
        (Wishes(rate="-1", duration=1), "--rate '-1' is not a number"),
        (
            Wishes(json=Path("/nonexistent/d/x.json"), duration=1),
            "there is no folder /nonexistent/d",
        ),
        (Wishes(json=Path("/"), duration=1), "--json /: this is a folder"),
        (
            Wishes(replay=Path("payments.jsonl"), rate="5", duration=3),
            "--rate, --duration and --from exclude",
        ),
        (Wishes(replay=Path("nowhere.jsonl")), "nowhere.jsonl: there is no such file"),
        (Wishes(export=Path("found")), "add --duration SECONDS or --from FILE"),
    ],
)
def test_wishes_that_cannot_come_true_are_refused_before_anything_starts(
    wishes: Wishes, message: str
) -> None:
    with pytest.raises(DemoError, match=message):
        check(wishes)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.docx", "x", "--from .*x.docx: the name must end in .jsonl"),
        ("empty.jsonl", "", "--from .*empty.jsonl holds no transactions"),
        ("payments.csv", "user,cents\n", "--from .*payments.csv"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_before_anything_starts(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(DemoError, match=message):
        check(Wishes(replay=file))


def test_sound_wishes_pass(tmp_path: Path) -> None:
    payments = tmp_path / "payments.jsonl"
    payments.write_text("{}\n")
    check(Wishes(replay=payments, json=tmp_path / "summary.json", export=tmp_path / "new" / "out"))
    check(Wishes(rate="max", duration=1))


def test_an_export_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="nothing can be written to"):
        check(Wishes(duration=1, export=tmp_path / "file" / "out"))


def test_a_json_that_fails_does_not_keep_the_export_from_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Beside:
        def during(self, work: Callable[[], object]) -> object:
            return work()

    monkeypatch.setattr(demo, "export", lambda *_: (3, 1))
    stack = SimpleNamespace(supervisor=Beside(), settings=None)
    wishes = Wishes(json=tmp_path / "gone" / "x.json", export=tmp_path / "out")
    lines: list[str] = []
    assert not demo._write_results(stack, wishes, Summary(), lines.append)  # type: ignore[arg-type]
    assert lines[0].startswith(f"error: --json {wishes.json} failed: ")
    assert lines[1] == f"exported 3 objects and 1 rejected records to {wishes.export}"


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (
            UnreadableError("what the run left behind cannot be read: no answer"),
            1,
            "error: what the run left",
        ),
        (BrokerError("the broker's data folder was not made"), 2, "error: the broker's data folder"),
    ],
)
def test_what_fails_late_ends_with_one_line(
    error: Exception,
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setenv("NO_PROXY", "")  # main sets it
    monkeypatch.setattr(native, "opened_stack", fails)
    assert native.main(["up"]) == code
    assert capsys.readouterr().err.startswith(says)


def test_ctrl_c_says_what_is_kept_and_how_to_go_on_or_clean_up(tmp_path: Path) -> None:
    usual = native.kept(parsed(["demo"]))
    assert usual.endswith(
        "scripts/demo.sh goes on, --fresh starts anew; scripts/reset.sh --native deletes them"
    )
    own = native.kept(parsed(["demo", "--state", str(tmp_path)]))
    assert own.startswith(f"kept: alerts, state and logs/ in {tmp_path}; scripts/demo.sh --state {tmp_path} ")
    assert own.endswith(f"scripts/reset.sh --native --state {tmp_path} deletes them")
    replay = native.kept(parsed(["demo", "--from", "payments.jsonl"]))
    assert "goes on" not in replay


def test_nothing_is_exported_over_somebody_s_files(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(ExportError, match="choose another"):
        check(Wishes(duration=1, export=tmp_path))


def test_a_replay_has_topics_prefix_and_checkpoint_of_its_own(tmp_path: Path) -> None:
    own = planned_run(tmp_path, replay=True).own
    assert len(set(own.values())) == 5
    assert all("replay-" in value for value in own.values())
    assert planned_run(tmp_path, replay=False).own == {}


# --- environment


def test_what_the_user_set_goes_through_and_what_must_agree_is_ours() -> None:
    environ = {
        "PATH": "/bin", "HTTP_PROXY": "http://proxy", "AWS_PROFILE": "work",
        "FRAUD_RULES_FILE": "mine.toml", "FRAUD_KAFKA_BOOTSTRAP_SERVERS": "elsewhere:9092",
    }  # fmt: skip
    ours = {"FRAUD_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092", "FRAUD_CHECKPOINT": "here"}
    environment, replaced = child_environment(environ, ours, Path("/java"))
    assert environment["FRAUD_RULES_FILE"] == str(Path.cwd() / "mine.toml")  # the processes run elsewhere
    assert environment["FRAUD_KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9092"
    assert environment["JAVA_HOME"] == "/java"
    assert replaced == ["FRAUD_KAFKA_BOOTSTRAP_SERVERS"]
    assert not environment.keys() & {"HTTP_PROXY", "AWS_PROFILE"}


def test_a_cluster_s_id_never_looks_like_an_option_of_kafka_s_tool() -> None:
    made = iter([uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=bytes(16))])  # "-AAA…", "AAAA…"
    assert new_cluster_id(lambda: next(made)) == "A" * 22


def test_the_broker_listens_on_loopback_only(tmp_path: Path) -> None:
    lines = dict(line.split("=", 1) for line in properties(tmp_path, 1, 2).splitlines())
    assert lines["listeners"] == "PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert lines["auto.create.topics.enable"] == "false"


def test_a_broker_s_own_settings_go_before_the_usual_ones(tmp_path: Path) -> None:
    own = {"node.id": "2", "min.insync.replicas": "2"}
    lines = dict(line.split("=", 1) for line in properties(tmp_path, 1, 2, own).splitlines())
    assert {name: lines[name] for name in own} == own
    assert lines["process.roles"] == "broker,controller"


def test_the_broker_forgets_nothing_by_age(tmp_path: Path) -> None:
    lines = dict(line.split("=", 1) for line in properties(tmp_path, 1, 2).splitlines())
    assert lines["log.retention.ms"] == "-1"
    assert int(lines["offsets.retention.minutes"]) > 100 * 365 * 24 * 60


def test_a_data_folder_that_takes_too_long_to_make_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(command: list[str], *, timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(BrokerError, match="was not made in 120 s"):
        prepare(tmp_path, tmp_path, tmp_path, (1, 2), {})


def test_the_s3_server_s_http_interface_without_credentials_is_off(tmp_path: Path) -> None:
    command = object_store.prepare(tmp_path, 20_000, Credentials("key", "secret"), dict(os.environ)).command
    assert "-filer.disableHttp=true" in command
    assert f"-ip.bind={HOST}" in command


def test_credentials_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    first = credentials(tmp_path / "s3")
    assert credentials(tmp_path / "s3") == first
    assert stat.S_IMODE((tmp_path / "s3" / "credentials.json").stat().st_mode) == 0o600
    assert credentials(tmp_path / "other") != first


# --- state folder


def test_a_folder_with_something_else_in_it_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(StateError, match="holds something else"), opened(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_only_its_owner_can_look_into_the_state_folder(tmp_path: Path) -> None:
    (tmp_path / "older").mkdir(mode=0o755)
    for name in ("new", "older"):
        with opened(tmp_path / name) as state:
            assert stat.S_IMODE(state.folder.stat().st_mode) == 0o700


def test_two_stacks_cannot_share_a_state_folder(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "state"),
        pytest.raises(StateError, match=rf"process {os.getpid()}.*--state"),
        opened(tmp_path / "state"),
    ):
        pass
    with opened(tmp_path / "state"):
        pass


def test_clearing_deletes_the_state_and_keeps_the_folder_ours(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with opened(tmp_path / "state") as state:
        state.logs.mkdir()
        (state.folder / "link").symlink_to(tmp_path / "mine")
        clear(state)
        assert not state.logs.exists()
    assert (tmp_path / "mine").exists()
    with opened(tmp_path / "state"):
        pass


def test_a_taken_port_stops_the_start_before_any_process_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.native.stack.fetch", lambda _: None)
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        ports = Ports(kafka=port, controller=port - 1 if port > 60_000 else port + 1, s3=20_000)
        with pytest.raises(PortsError, match="--kafka-port"), opened_stack(tmp_path / "state", ports):
            pytest.fail("it must not start")
