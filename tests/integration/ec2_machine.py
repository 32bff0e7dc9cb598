"""A broker's machine that is a folder: the user data that Terraform renders runs there, without root rights.

Its folders lie below the machine's own, its disk is one of them; what needs root rights is noted in `calls`.
In the place of systemd, `start` runs what the unit says.
"""

import configparser
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

_SECONDS = 180
_ROOTED = re.compile(r"(?<![\w}/])/(?=(?:etc|opt|var|proc|dev/disk)/)")
_DISK = re.compile(r"/dev/disk/by-id/\S+")
_NOTED = (
    "amazon-cloudwatch-agent-ctl", "blkid", "chgrp", "chown", "dnf", "id", "install", "mkfs.xfs", "mount",
    "mountpoint", "systemctl", "useradd",
)  # fmt: skip
_STAND_IN = """#!/usr/bin/env bash
# Notes its call. A disk is formatted and mounted, and a user is there, once it was asked for.
name=${0##*/}
echo "$name $*" >>"$MACHINE/calls"
case $name in
  blkid) [[ -e $MACHINE/formatted ]] ;;
  mkfs.xfs) touch "$MACHINE/formatted" ;;
  mountpoint) [[ -e $MACHINE/mounted ]] ;;
  mount) touch "$MACHINE/mounted" ;;
  id) [[ -e $MACHINE/user ]] ;;
  useradd) touch "$MACHINE/user" ;;
  install) # without the owner, who is not there
    words=()
    while [[ $# -gt 0 ]]; do
      case $1 in
        -o | -g) shift ;;
        *) words+=("$1") ;;
      esac
      shift
    done
    command -p install "${words[@]}"
    ;;
esac
"""


class Machine:
    """Of one broker. `environment` leads to `aws` and Java."""

    def __init__(
        self, number: int, user_data: str, folder: Path, java_home: Path, environment: Mapping[str, str]
    ) -> None:
        self.number = number
        self.root = folder / "root"
        self._folder = folder
        self._java = java_home / "bin" / "java"
        programs = folder / "bin"
        self._environment = {
            **environment,
            "PATH": f"{programs}:{self._java.parent}:{environment['PATH']}",
            "MACHINE": str(folder),
        }
        self._script = folder / "user_data.sh"
        script = _ROOTED.sub(f"{self.root}/", user_data)
        # A block device is what root alone can make.
        self._script.parent.mkdir(parents=True)
        self._script.write_text(script.replace("test -b ", "test -e "), "utf-8")
        programs.mkdir()
        agent = self.root / "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"
        for program in (agent, *(programs / name for name in _NOTED)):
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(_STAND_IN, "utf-8")
            program.chmod(0o755)
        # What Amazon Linux has.
        for name in ("etc/systemd/system", "etc/logrotate.d", "opt/aws/amazon-cloudwatch-agent/etc", "proc"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "proc" / "meminfo").write_text("MemTotal:        1536000 kB\n", "utf-8")
        disk = _DISK.search(user_data)
        assert disk is not None, "the user data names no disk"
        device = self.root / disk[0].lstrip("/")
        device.parent.mkdir(parents=True)
        device.touch()
        self._service: subprocess.Popen[bytes] | None = None

    # --- what EC2 and systemd do -----------------------------------------------------------------------

    def first_start(self) -> subprocess.CompletedProcess[str]:
        """Run the user data to its end."""
        done = subprocess.run(
            ["bash", self._script],  # noqa: S607
            env=self._environment,
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        log = self.root / "var" / "log" / "cloud-init-output.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(done.stdout + done.stderr, "utf-8")
        return done

    def start(self, overriding: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Start what the unit says, with some properties other than in the broker's file."""
        service = self.unit()["Service"]
        program, *words = shlex.split(service["ExecStart"])
        assert program == "/usr/bin/java"
        for name, value in overriding(self.properties()).items():
            words += ["--override", f"{name}={value}"]
        command = [str(self._java), *words]
        with Path(service["StandardOutput"].removeprefix("append:")).open("ab") as log:
            self._service = subprocess.Popen(
                command,
                env=self._environment,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> int:
        """Ask the broker to stop, as systemd does; its exit code."""
        assert self._service is not None
        self._service.terminate()
        return self._service.wait(_SECONDS)

    def is_running(self) -> bool:
        """Whether the broker's process is there."""
        return self._service is not None and self._service.poll() is None

    def kill(self) -> None:
        """End the broker at once, when one runs."""
        if self._service is not None:
            self._service.kill()
            self._service.wait(_SECONDS)

    def lose_disk(self) -> None:
        """A new machine with a new, empty volume."""
        shutil.rmtree(self.root / "var")
        for name in ("formatted", "mounted", "user"):
            (self._folder / name).unlink()

    # --- what is there ---------------------------------------------------------------------------------

    def calls(self) -> list[str]:
        """The calls that needed root rights, so far."""
        return (self._folder / "calls").read_text("utf-8").splitlines()

    def unit(self) -> configparser.ConfigParser:
        """The unit of systemd."""
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]  # names as they are
        unit.read(self.root / "etc/systemd/system/kafka.service", "utf-8")
        return unit

    def properties(self) -> dict[str, str]:
        """The broker's file."""
        lines = (self.root / "etc/kafka/server.properties").read_text("utf-8").splitlines()
        pairs = (line.partition("=") for line in lines if not line.startswith("#"))
        return {name: value for name, _, value in pairs}

    def quorum(self) -> tuple[int, int]:
        """Epoch and leader of the controllers as this one has them on its disk; zeros before it has any."""
        file = self.root / "var/lib/kafka/logs/__cluster_metadata-0/quorum-state"
        if not file.exists():
            return 0, 0
        state = json.loads(file.read_text("utf-8"))
        return int(state["leaderEpoch"]), int(state["leaderId"])

    def logs(self) -> str:
        """All that goes to CloudWatch: what the user data said, then the broker."""
        files = ("cloud-init-output.log", "kafka/server.log")
        return "".join((self.root / "var/log" / file).read_text("utf-8", "replace") for file in files)
