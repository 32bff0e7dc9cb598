"""The parent of Spark's Python workers: what they need is imported here once, and every fork has it.

Spark lets idle workers go after a minute; without this the next payment would wait for the imports.
"""

from pyspark.daemon import manager

import jobs.archive.task  # both before the fork, for all workers
import jobs.detect.bucket_operator  # noqa: F401

if __name__ == "__main__":
    manager()  # type: ignore[no-untyped-call]  # pyspark leaves it untyped
