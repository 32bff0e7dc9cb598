"""All promises: functions from a stack to one sentence for every place that breaks it."""

import inspect
from collections.abc import Callable, Iterator

from tests.terraform import (
    promises_clusters,
    promises_data,
    promises_network,
    promises_oversight,
    promises_rights,
    promises_services,
)
from tests.terraform.mocked import Stack

Promise = Callable[[Stack], Iterator[str]]

PROMISES: dict[str, Promise] = {
    name: promise
    for module in (
        promises_network,
        promises_data,
        promises_rights,
        promises_clusters,
        promises_services,
        promises_oversight,
    )
    for name, promise in vars(module).items()
    if inspect.isgeneratorfunction(promise)
    and not name.startswith("_")
    and promise.__module__ == module.__name__
}
