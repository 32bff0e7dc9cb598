"""`python -m local.native`: the stack without Docker, as scripts/demo.sh and scripts/reset.sh start it."""

import os
import shlex
import sys
from collections.abc import Sequence

from fraud.settings import SettingsError
from local.native.arguments import DEFAULT_STATE, Arguments, parsed
from local.native.broker import BrokerError
from local.native.demo import DEFAULTS, demo, planned_run
from local.native.export import ExportError
from local.native.findings import UnreadableError
from local.native.jars import JarsError
from local.native.java import NoJavaError
from local.native.leftovers import stop_leftovers
from local.native.object_store import ObjectStoreError
from local.native.ports import PortsError
from local.native.preflight import DemoError, check
from local.native.stack import opened_stack
from local.native.state import StateError, clear, opened
from local.native.supervisor import GaveUpError, StoppedError

CANNOT_START = (
    StateError, PortsError, SettingsError, JarsError, NoJavaError, BrokerError, ObjectStoreError,
    DemoError, ExportError,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command. The exit code: 0 well, 1 failed, 2 could not start, 130 interrupted."""
    given = parsed(arguments)
    os.environ["NO_PROXY"] = "*"  # all that this process talks to is on loopback
    try:
        return {"demo": _demo, "up": _up, "reset": _reset}[given.command](given)
    except StoppedError:
        _say("stopped; nothing is left running")
        _say(kept(given))
        return 0 if given.is_open_ended else 130
    except CANNOT_START as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (GaveUpError, UnreadableError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def kept(given: Arguments) -> str:
    """Where an interrupted run left alerts, logs and state, and how to go on or clean up."""
    folder = given.state.resolve()
    option = "" if folder == DEFAULT_STATE else f" --state {shlex.quote(str(folder))}"
    again = "" if given.wishes.replay else f"scripts/demo.sh{option} goes on, --fresh starts anew; "
    return f"kept: alerts, state and logs/ in {folder}; {again}scripts/reset.sh --native{option} deletes them"


def _demo(given: Arguments) -> int:
    check(given.wishes)
    run = planned_run(given.state.resolve(), replay=given.wishes.replay is not None)
    unset = {name: value for name, value in DEFAULTS.items() if not os.environ.get(name)}
    with opened_stack(given.state, given.ports, fresh=given.fresh, own=run.own | unset) as stack:
        return demo(stack, run, given.wishes, _say)


def _up(given: Arguments) -> int:
    with opened_stack(given.state, given.ports, fresh=given.fresh) as stack:
        stack.start_servers()
        stack.start_dashboard(reload=True)
        servers = [f"Kafka {stack.settings.kafka.bootstrap_servers}", f"S3 {stack.endpoint}"]
        servers += [f"dashboard {stack.dashboard_address}"] if stack.dashboard_address else []
        _say(f"ready: {', '.join(servers)}")
        _say(f"source {stack.settings_file} to reach them; Ctrl-C stops all")
        stack.supervisor.wait(lambda: False)
    return 0


def _reset(given: Arguments) -> int:
    if not given.state.exists():
        _say(f"nothing to clear: there is no {given.state}")
        return 0
    with opened(given.state) as state:
        for name in stop_leftovers(state.record):
            _say(f"stopped {name}, which an earlier run had left behind")
        clear(state)
    _say(f"cleared {given.state}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
