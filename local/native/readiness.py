"""Tells a person what this machine lacks before anything is downloaded or started.

Standard library only: scripts/demo.sh and the set-up ask it first. (`os.path.exists`: a Path raises
PermissionError in a folder that somebody else may read only, and that is told as a lack.)
"""

import os
import sys
from collections.abc import Sequence

from local.native.arguments import DEFAULT_STATE, Arguments, parsed
from local.native.facts import this_machine
from local.native.java import ROOT
from local.native.machine import lacks, warnings
from local.native.ports import PortsError, check_ports
from local.native.state import State


def taken_ports(given: Arguments) -> list[str]:
    """Ports that other programs have. Of a killed run's, which the start ends itself, nothing is said."""
    try:
        wanted = given.ports.wanted()
        if not os.path.exists(State(given.state.resolve()).record):
            check_ports(wanted)
    except PortsError as error:
        return str(error).splitlines()
    return []


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m local.native.readiness [demo OPTIONS]`: exit code 0, or 2 and one line for each lack.

    Without `demo` only what the set-up needs is looked at, else memory, ports and options, too.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    given = parsed(arguments) if arguments else None
    machine = this_machine(ROOT, given.state if given else DEFAULT_STATE)
    installing = not os.path.exists(ROOT / ".venv" / "bin" / "python")
    running = given is not None and not given.ignore_memory
    problems = lacks(machine, ROOT, installing=installing, running=running)
    if given:
        problems += taken_ports(given)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if running and not problems:
        for warning in warnings(machine):
            print(f"warning: {warning}", file=sys.stderr)
    return 2 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
