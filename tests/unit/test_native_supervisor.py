"""The supervisor on real, tiny processes: restarts, giving up, stopping in order, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.native.java import ROOT
from local.native.leftovers import stop_leftovers
from local.native.process import Ending, Program, kill_all_of, start_time
from local.native.restarts import MOST, WITHIN, described, recent, why_not_restart
from local.native.supervisor import GaveUpError, StoppedError, Supervisor

ENVIRONMENT = {"PATH": os.environ["PATH"]}
FOREVER = "import time\nprint('ready: now', flush=True)\nwhile True: time.sleep(60)"


def program(name: str, code: str, **how: object) -> Program:
    return Program(name, [sys.executable, "-c", code], ENVIRONMENT, **how)  # type: ignore[arg-type]


def running(tmp_path: Path) -> list[int]:
    return [entry["pid"] for entry in json.loads((tmp_path / "processes.json").read_text())]


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


SIGNALS = st.sampled_from(sorted(signal.valid_signals())).map(int)


@given(SIGNALS, st.floats(0, 1e6))
def test_a_signal_is_worth_a_restart_also_as_java_and_shells_tell_it(number: int, now: float) -> None:
    assert why_not_restart(-number, [], now) is None
    assert why_not_restart(128 + number, [], now) is None
    assert described(-number) == described(128 + number) == f"was ended by signal {number}"


@given(st.integers(0, 128) | st.integers(128 + signal.NSIG, 255), st.lists(st.floats(0, 1e6)))
def test_of_all_other_ends_only_exit_code_75_is_worth_a_restart(code: int, restarts: list[float]) -> None:
    assert (why_not_restart(code, [], 0) is None) == (code == 75)
    if code != 75:
        assert f"ended with exit code {code}" in str(why_not_restart(code, restarts, 0))


@given(st.lists(st.floats(0, 2 * WITHIN), max_size=12), st.sampled_from([75, -9, -15, 143]))
def test_a_process_is_restarted_at_most_five_times_in_ten_minutes(ends: list[float], code: int) -> None:
    restarts: list[float] = []
    for now in sorted(ends):
        if why_not_restart(code, restarts, now) is None:
            restarts.append(now)
        recent = [time for time in restarts if now - time < WITHIN]
        assert len(recent) <= MOST
        if now not in restarts:
            assert len(recent) == MOST


def test_a_restart_counts_for_ten_minutes() -> None:
    assert recent([0, 1, WITHIN], WITHIN + 0.5) == [1, WITHIN]


def test_the_reason_for_giving_up_says_how_it_ended() -> None:
    assert "exit code 2" in str(why_not_restart(2, [], 0))
    assert "signal 9" in str(why_not_restart(-9, [1.0] * 5, 2.0))
    assert "5 times in 10 minutes" in str(why_not_restart(75, [1.0] * 5, 2.0))


def test_a_process_that_ends_with_75_is_restarted(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "import pathlib, sys\nmark = pathlib.Path('tried')\n"
        "if mark.exists(): print('ready: again', flush=True); import time; time.sleep(60)\n"
        "mark.touch(); sys.exit(75)"
    )
    supervisor.start(program("job", code))
    supervisor.wait(lambda: supervisor.said("job", "ready:"), "the second try", 20, "job")
    assert len(running(tmp_path)) == 1


def test_a_process_that_a_signal_ends_is_restarted(
    supervisor: Supervisor, tmp_path: Path, lines: list[str]
) -> None:
    supervisor.start(program("job", FOREVER))
    supervisor.wait(lambda: supervisor.said("job", "ready:"), "the start", 20, "job")
    (first,) = running(tmp_path)
    os.kill(first, signal.SIGKILL)
    supervisor.wait(lambda: running(tmp_path) not in ([first], []), "a new process", 20, "job")
    assert any("job was ended by signal 9; restarting it (1)" in line for line in lines)


def test_a_java_that_gets_sigterm_is_restarted(supervisor: Supervisor, lines: list[str]) -> None:
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as a JVM does\n" + FOREVER
    )
    supervisor.start(program("broker", code))
    supervisor.wait(lambda: supervisor.said("broker", "ready:"), "the start", 20, "broker")
    (first,) = json.loads((supervisor.log("x").parents[1] / "processes.json").read_text())
    os.kill(first["pid"], signal.SIGTERM)
    supervisor.wait(lambda: any("restarting it (1)" in line for line in lines), "a restart", 20, "broker")


def test_stopping_says_how_each_ended(supervisor: Supervisor) -> None:
    fails = (
        "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "print('ready:', flush=True)\nwhile True: signal.pause()"
    )
    supervisor.start(program("producer", "pass", finite=True))
    supervisor.start(program("job", fails))
    supervisor.wait(
        lambda: supervisor.ended("producer") and supervisor.said("job", "ready:"), "both", 20, "job"
    )
    assert supervisor.stop("producer", "job", "nobody") == [
        Ending("producer", 0, supervisor.log("producer")),
        Ending("job", 3, supervisor.log("job")),
    ]


def test_exit_code_2_is_never_restarted_and_the_log_s_end_is_shown(supervisor: Supervisor) -> None:
    supervisor.start(program("job", "print('FRAUD_BUCKETS is wrong'); raise SystemExit(2)"))
    with pytest.raises(GaveUpError) as error:
        supervisor.wait(lambda: False, "never", 20, "job")
    text = str(error.value)
    assert "job: it ended with exit code 2" in text
    assert "FRAUD_BUCKETS is wrong" in text
    assert str(supervisor.log("job")) in text


def test_after_five_restarts_it_gives_up(supervisor: Supervisor, lines: list[str]) -> None:
    supervisor.start(program("job", "print('Kafka is away'); raise SystemExit(75)"))
    with pytest.raises(GaveUpError, match="restarted 5 times in 10 minutes") as error:
        supervisor.wait(lambda: False, "never", 30, "job")
    assert "Kafka is away" in str(error.value)
    assert sum("restarting it" in line for line in lines) == 5


def test_a_server_that_ends_by_itself_without_an_error_is_a_failure_too(supervisor: Supervisor) -> None:
    supervisor.start(program("broker", "pass"))
    with pytest.raises(GaveUpError, match="ended with exit code 0"):
        supervisor.wait(lambda: False, "never", 20, "broker")


def test_a_finite_program_may_end(supervisor: Supervisor) -> None:
    supervisor.start(program("init", "print('done')", finite=True))
    supervisor.wait(lambda: supervisor.ended("init"), "its end", 20, "init")


def test_what_does_not_get_ready_in_time_is_named(supervisor: Supervisor) -> None:
    supervisor.start(program("job", FOREVER))
    with pytest.raises(GaveUpError, match="job: the line `done` did not happen in 1 s"):
        supervisor.wait(lambda: supervisor.said("job", "done"), "the line `done`", 0.6, "job")


def test_work_beside_the_supervision_gives_its_result_or_its_error(supervisor: Supervisor) -> None:
    assert supervisor.during(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        supervisor.during(lambda: 1 // 0)


def test_a_process_that_fails_is_seen_during_other_work(supervisor: Supervisor) -> None:
    supervisor.start(program("broker", "raise SystemExit(1)"))
    with pytest.raises(GaveUpError, match="broker"):
        supervisor.during(lambda: time.sleep(60))


def test_only_the_output_of_programs_with_echo_is_shown(supervisor: Supervisor, lines: list[str]) -> None:
    supervisor.start(program("job", "print('ALERT ü')", finite=True, echo=True))
    supervisor.start(program("broker", "print('noise')", finite=True))
    supervisor.wait(lambda: supervisor.ended("job") and supervisor.ended("broker"), "both", 20, "job")
    assert "ALERT ü" in lines
    assert "noise" not in lines
    assert "noise" in supervisor.log("broker").read_text()


def test_higher_stages_stop_first_and_nothing_is_left(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "def stop(*_):\n    print(sys.argv[1], file=open('order', 'a'))\n    sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\nprint('ready:', flush=True)\nwhile True: time.sleep(60)"
    )
    with Supervisor(tmp_path / "logs", tmp_path / "processes.json", tmp_path, lambda _: None) as supervisor:
        for name, stage in (("broker", 0), ("job", 1), ("producer", 2)):
            command = [sys.executable, "-c", code, name]
            supervisor.start(Program(name, command, ENVIRONMENT, stage=stage))
        names = ("broker", "job", "producer")
        supervisor.wait(lambda: all(supervisor.said(name, "ready:") for name in names), "all", 20, "job")
        pids = running(tmp_path)
    order = (tmp_path / "order").read_text().split()
    assert order == ["producer", "job", "broker"]
    assert all(start_time(pid) is None for pid in pids)
    assert running(tmp_path) == []


def test_a_process_that_ignores_the_request_to_stop_is_killed_with_its_children(tmp_path: Path) -> None:
    child = "import time; time.sleep(600)"
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)\n"
        "print('child', child.pid, flush=True)\nwhile True: time.sleep(60)"
    )
    with Supervisor(tmp_path / "logs", tmp_path / "processes.json", tmp_path, lambda _: None) as supervisor:
        supervisor.start(program("job", code, grace=0.3))
        supervisor.wait(lambda: supervisor.said("job", "child"), "the child", 20, "job")
        grandchild = int(supervisor.log("job").read_text().split()[1])
        pids = [*running(tmp_path), grandchild]
    for pid in pids:
        eventually(lambda pid=pid: start_time(pid) is None)  # type: ignore[misc]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_supervisor_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    with (  # noqa: PT012  # the context is what is under test
        pytest.raises(StoppedError),
        Supervisor(tmp_path / "logs", tmp_path / "now.json", tmp_path, lambda _: None) as supervisor,
    ):
        supervisor.start(program("job", FOREVER))
        (entry,) = json.loads((tmp_path / "now.json").read_text())
        os.kill(os.getpid(), number)
        supervisor.wait(lambda: False, "never", 20, "job")
    assert start_time(entry["pid"]) is None


def test_a_terminal_that_is_gone_does_not_keep_processes_alive(tmp_path: Path) -> None:
    def say(_: str) -> None:
        raise BrokenPipeError

    with (  # noqa: PT012  # the context is what is under test
        pytest.raises(StoppedError),
        Supervisor(tmp_path / "logs", tmp_path / "now.json", tmp_path, say) as supervisor,
    ):
        supervisor.start(program("job", FOREVER, echo=True))
        (entry,) = json.loads((tmp_path / "now.json").read_text())
        supervisor.wait(lambda: False, "never", 20, "job")
    assert start_time(entry["pid"]) is None


def test_leftovers_of_a_killed_supervisor_are_found_and_stopped(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, time\nfrom local.native.supervisor import Supervisor\n"
        "from local.native.process import Program\nhere = pathlib.Path(sys.argv[1])\n"
        "with Supervisor(here / 'logs', here / 'processes.json', here) as supervisor:\n"
        f"    supervisor.start(Program('broker', [sys.executable, '-c', {FOREVER!r}], {{}}))\n"
        "    print('up', flush=True)\n    supervisor.wait(lambda: False)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        (pid,) = running(tmp_path)
        child.kill()
    assert start_time(pid) is not None
    assert stop_leftovers(tmp_path / "processes.json") == ["broker"]
    assert start_time(pid) is None
    assert stop_leftovers(tmp_path / "processes.json") == []


def test_a_process_that_only_has_a_leftover_s_number_is_spared(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", FOREVER], start_new_session=True) as other:
        record = tmp_path / "processes.json"
        record.write_text(json.dumps([{"name": "broker", "pid": other.pid, "started": "1"}]))
        assert stop_leftovers(record) == []
        assert other.poll() is None
        kill_all_of(other.pid)


def test_a_line_goes_into_a_pipe_at_once_and_waits_in_no_buffer() -> None:
    code = "import os; from local.native.supervisor import aloud; aloud('ALERT'); os._exit(0)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "ALERT\n"
