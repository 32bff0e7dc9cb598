"""Where a run stands, kept in a file so that a restart goes on with the same bytes (`--state FILE`)."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


class StateError(Exception):
    """The state file cannot be used; the message says what to do."""


@dataclass(frozen=True)
class State:
    """`source` is the identity of the records, `began` when the first run started (epoch milliseconds).

    Every record below `next` is acknowledged.
    """

    source: dict[str, object]
    began: int
    next: int = 0


def read_state(path: Path) -> State | None:
    """The state in `path`, None if there is no such file. Raises StateError if it is not one of ours."""
    try:
        content = json.loads(path.read_bytes())
        state = State(**content)
        sound = isinstance(state.source, dict) and type(state.began) is int and type(state.next) is int
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError):
        sound = False
    if not sound:
        raise StateError(f"{path} is not a state file of this program: name another, or remove it")
    return state


def write_state(path: Path, state: State) -> None:
    """Replace the file as a whole, so that a crash leaves the old state or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(asdict(state), indent=1) + "\n")
    os.replace(draft, path)
