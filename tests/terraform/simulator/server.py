"""Serves the simulated AWS, and its control: what is to fail, and what was called."""

import json
import os
import traceback
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

# Read by moto as it is imported: AWS's own policies, which the stack attaches.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from tests.terraform.simulator.faults import FAULTS
from tests.terraform.simulator.repeats import Repeats

PATCHES = (
    "faults", "autoscaling", "codebuild", "ec2", "ecs", "elbv2", "emr", "msk", "msk_operations", "route53",
    "s3", "servicediscovery", "servicequotas",
)  # fmt: skip
"""The modules here that mend moto, in that order."""
CONTROL = "/simulator"
"""PUT sets the faults: `service:Operation` to how many times. GET says which are left, and all calls."""


class _QuietHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"  # a new connection a request costs more than the request

    def log_request(self, *_: Any) -> None:
        """Thousands of lines that nobody reads."""


def application() -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """The simulator as a WSGI application."""
    for name in PATCHES:
        import_module(f"{__package__}.{name}").install()
    aws = Repeats(DomainDispatcherApplication(create_backend_app))

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != CONTROL:
            try:
                return aws(environ, start_response)
            except Exception:  # noqa: BLE001  # at the 500 that it would be, the provider tries again for ten minutes
                traceback.print_exc()
                start_response("400 Bad Request", [("Content-Length", "0")])
                return []
        if environ["REQUEST_METHOD"] == "PUT":
            FAULTS.set(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        body = json.dumps({"left": FAULTS.left(), "calls": FAULTS.calls}).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def serve(port: int) -> None:
    """Serve until the process ends; with 0 at a free port. The first line printed says which."""
    server = make_server("127.0.0.1", port, application(), threaded=True, request_handler=_QuietHandler)
    print(server.server_port, flush=True)
    server.serve_forever()
