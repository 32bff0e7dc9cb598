"""Decides what each process of the stack finds in its environment."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from local.native.java import ROOT

# What a program may need to run at all. No proxies: everything talks to loopback only.
_INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|TMPDIR|LANG|LANGUAGE|LC_\w+|SSL_CERT_\w+|LD_LIBRARY_PATH"
    r"|JAVA_TOOL_OPTIONS|OPENBLAS_\w+|OMP_\w+|FRAUD_\w+"
)

_PATHS = ("FRAUD_RULES_FILE",)


def names_of_its_own(name: str, checkpoint: Path) -> dict[str, str]:
    """The FRAUD_* variables that keep a run apart from all others: topics, prefix and checkpoint."""
    return {
        "FRAUD_KAFKA_TRANSACTIONS_TOPIC": f"{name}.transactions",
        "FRAUD_KAFKA_ALERTS_TOPIC": f"{name}.fraud-alerts",
        "FRAUD_KAFKA_REJECTED_TOPIC": f"{name}.transactions-rejected",
        "FRAUD_S3_PREFIX": f"{name}/",
        "FRAUD_CHECKPOINT": str(checkpoint),
    }


def child_environment(
    environ: Mapping[str, str], ours: Mapping[str, str], java_home: Path
) -> tuple[dict[str, str], list[str]]:
    """The environment of every process, and the names of the user's FRAUD_* variables that `ours` replaces.

    The user's FRAUD_* variables go through (a rule file of one's own, for instance); `ours` wins, and an
    empty value in `ours` takes the user's away.
    """
    inherited = {name: value for name, value in environ.items() if _INHERITED.fullmatch(name)}
    # Relative to where the user is; the processes run in the repository.
    inherited |= {name: os.path.abspath(inherited[name]) for name in _PATHS if inherited.get(name)}
    replaced = sorted(name for name in ours if inherited.get(name) and inherited[name] != ours[name])
    own = {
        "JAVA_HOME": str(java_home),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)]),
    }
    return {**inherited, **own, **ours}, replaced
