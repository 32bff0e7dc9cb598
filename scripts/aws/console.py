"""How the programs of `scripts/aws` speak, ask and end."""

import signal
import subprocess
import sys
from collections.abc import Callable
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError


class CannotStartError(Exception):
    """Nothing was changed; the message says why, and what to do."""


class FailedError(Exception):
    """It went wrong on the way; the message says where, and what to do."""


def say(line: str) -> None:
    """A line for the person; results alone go to standard output."""
    print(line, file=sys.stderr, flush=True)


def bold(text: str) -> str:
    """Stands out on a terminal."""
    return f"\033[1m{text}\033[0m" if sys.stderr.isatty() else text


def ask(question: str, wanted: tuple[str, ...]) -> None:
    """Ask, and go on with one of the answers wanted only. Raises CannotStartError."""
    if not sys.stdin.isatty():
        raise CannotStartError("nothing was changed: there is nobody to ask; say --yes")
    say(question)
    if sys.stdin.readline().strip() not in wanted:
        raise CannotStartError("nothing was changed")


def waited(child: subprocess.Popen[bytes], stopping: str) -> int:
    """The exit code of a child in a session of its own: Ctrl-C reaches it through us, and it ends in order.

    Raises KeyboardInterrupt after such an end.
    """
    interrupted = False
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            interrupted = True
            say(f"stopping: {stopping}")
            child.send_signal(signal.SIGINT)
        else:
            break
    if interrupted:
        raise KeyboardInterrupt
    return code


def ended(program: Callable[[], int], interrupted: str) -> int:
    """Run a program; its exit code. SIGTERM and SIGHUP count as Ctrl-C, on which `interrupted` is said."""
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        return program()
    except CannotStartError as error:
        say(f"error: {error}")
        return 2
    except FailedError as error:
        say(f"error: {error}")
        return 1
    except (BotoCoreError, ClientError) as error:
        say(f"error: AWS: {error}; try again")
        return 1
    except KeyboardInterrupt:
        say(f"stopped; {interrupted}")
        return 130
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
