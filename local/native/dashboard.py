"""The analysts' dashboard (Streamlit) as a program of the stack: on loopback, silent, restarted alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from local.native.java import ROOT
from local.native.ports import HOST
from local.native.process import Program

APP = ROOT / "dashboard" / "streamlit_app.py"


def program(
    module: Sequence[str], port: int, environment: Mapping[str, str], *, reload: bool, app: Path = APP
) -> Program:
    """How to run it at `port`; `module` is the command line of the Python module streamlit.

    It asks for nothing, sends nothing and opens no browser. `reload` shows a change of its source at once.
    The others go on when it fails: alerts come without it, too.
    """
    options = {
        "server.address": HOST,
        "server.port": port,
        "server.headless": "true",  # or it opens a browser and asks for an e-mail address
        "server.showEmailPrompt": "false",
        "server.fileWatcherType": "auto" if reload else "none",
        "server.runOnSave": str(reload).lower(),
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": HOST,
        "browser.serverPort": port,
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return Program(
        "dashboard", [*module, "run", str(app), *flags], environment, stage=1, grace=5.0, essential=False
    )
