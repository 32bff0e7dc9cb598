"""A `terraform` that makes nothing: it says what a test has written down for it, and keeps what it was asked.

`python fake_terraform.py SCENARIO ARGUMENTS...`; `scenario.py` has what SCENARIO is.
"""

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any


def main(path: Path, arguments: list[str]) -> int:
    """The exit code of the command."""
    scenario: dict[str, Any] = json.loads(path.read_text("utf-8"))
    scenario["calls"].append(arguments)
    command = arguments[0]
    codes = scenario["codes"].get(command, [])
    code = int(codes.pop(0)) if codes else 0
    path.write_text(json.dumps(scenario), "utf-8")
    if command in scenario["waits"]:
        signal.signal(signal.SIGINT, lambda *_: _interrupted(path))
        Path(f"{path}.waits").touch()
        signal.pause()
        return 1
    if command == "plan" and code:
        print(json.dumps({"type": "diagnostic", "diagnostic": scenario["refusal"]}))
    elif command in ("show", "output", "version"):
        print(json.dumps(scenario[command]))
    elif command == "state":
        print("\n".join(scenario["state"]))
    elif command in ("apply", "destroy") and code:
        print("Error: InjectedFault", file=sys.stderr)
    return code


def _interrupted(path: Path, _: FrameType | None = None) -> None:
    with path.with_name("interruptions").open("a") as file:
        file.write("one\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
