"""A real image registry on loopback, which wants a log-in as ECR does: Debian's docker-registry."""

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.compose.stack import free_ports

PASSWORD = "the-tests"  # noqa: S105  # of a registry that lives as long as a test
_HTPASSWD = "AWS:$2b$04$ZgJZ1VdSo1Z40xzI7iOa..mOlES/fsZGAL9oCD/vREQI/0a4SoRxu\n"
_CONFIG = """
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: "{folder}/images"}}}}
http: {{addr: "{address}"}}
auth: {{htpasswd: {{realm: tests, path: "{folder}/htpasswd"}}}}
"""
_SECONDS = 30


def registry_lacks() -> str | None:
    """Why there can be no registry on this machine; None when there can."""
    if shutil.which("docker-registry"):
        return None
    return "there is no docker-registry on PATH (Debian and Ubuntu: apt install docker-registry)"


@contextmanager
def opened_registry(folder: Path) -> Iterator[str]:
    """The address of an empty registry; an engine takes plain HTTP from a loopback address."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    folder.mkdir()
    (folder / "htpasswd").write_text(_HTPASSWD, "utf-8")
    (folder / "config.yml").write_text(_CONFIG.format(folder=folder, address=address), "utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", folder / "config.yml"],  # noqa: S607  # wherever it is on PATH
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + _SECONDS
        while not _asks_who_is_there(address):
            assert process.poll() is None, (folder / "log").read_text("utf-8")
            assert time.monotonic() < deadline, (folder / "log").read_text("utf-8")
            time.sleep(0.1)
        yield address
    finally:
        process.kill()
        process.wait()


def _asks_who_is_there(address: str) -> bool:
    try:
        urllib.request.urlopen(f"http://{address}/v2/", timeout=5)
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False
    return False
