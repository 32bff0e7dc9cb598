"""The broker, S3 server and lanes of the integration tests."""

from tests.integration.conftest import lane, stack

__all__ = ["lane", "stack"]
