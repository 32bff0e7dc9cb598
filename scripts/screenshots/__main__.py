"""`scripts/screenshots.sh`: a run of the demo, then a picture of each page and of the console."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from playwright.sync_api import Error

from local.native.ports import PortsError, check_ports
from scripts.chromium import NoChromiumError, find_chromium, opened_chromium
from scripts.screenshots.arguments import Arguments, parsed
from scripts.screenshots.console import draw
from scripts.screenshots.pages import PICTURES, take
from scripts.screenshots.png import shrink
from scripts.screenshots.run import DemoFailedError, running_demo, shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Take all pictures. The exit code: 0 well, 1 failed, 2 could not start, 130 interrupted."""
    given = parsed(arguments)
    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGHUP, _interrupted)
    try:
        check_ports({port: (who, "--port") for port, (who, _) in given.ports.wanted().items()})
        _take_all(given)
    except (NoChromiumError, PortsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (DemoFailedError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (Error, AssertionError) as error:  # the log of all tries is of no use to a person
        print(f"error: a page is not drawn: {str(error).partition('Call log')[0]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing is left running", file=sys.stderr)
        return 130
    return 0


def _take_all(given: Arguments) -> None:
    given.folder.mkdir(parents=True, exist_ok=True)
    program = find_chromium(os.environ)
    _say("starting the demo (about half a minute) ...")
    with running_demo(given.ports, given.rate) as demo, opened_chromium(program) as browser:
        _say(f"{given.seconds} s of traffic at {given.rate} payments a second ...")
        end = time.monotonic() + given.seconds
        demo.wait(lambda: time.monotonic() >= end, "the end of the traffic", given.seconds + 60)
        for picture in PICTURES:
            file = given.folder / f"{picture.name}.png"
            take(browser, demo.dashboard, picture, file)
            _finish(file)
        file = given.folder / "console.png"
        draw(browser, shown(demo.lines()), file)
        _finish(file)
    _say(f"the pictures are in {given.folder}")


def _finish(file: Path) -> None:
    shrink(file)
    _say(f"{file.name}: {file.stat().st_size // 1024} KB")


def _interrupted(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
