"""CloudFormation as far as a custom resource sees it: an address that takes reports."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class CloudFormation:
    """Takes what is reported to the address of a custom resource, after `refusals` answers of 503."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.refusals = 0
        self.reports: list[dict[str, str]] = []

    def told(self) -> dict[str, str]:
        """What a build has in its environment to report with."""
        return {
            "RESPONSE_URL": self.address,
            "STACK_ID": "stack",
            "REQUEST_ID": "request",
            "LOGICAL_RESOURCE_ID": "Build",
            "PHYSICAL_RESOURCE_ID": "fraud",
        }


@contextmanager
def opened_cloudformation() -> Iterator[CloudFormation]:
    """It listens until the context ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:  # the library's name
            # S3 refuses the answer when the header is not as it was signed.
            assert self.headers["Content-Type"] == ""
            report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if taken.refusals:
                taken.refusals -= 1
                self.send_response(503)
            else:
                taken.reports.append(report)
                self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    taken = CloudFormation(f"http://127.0.0.1:{server.server_port}/answer?signature=x")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
