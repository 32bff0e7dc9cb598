"""What may lie in the bucket, by name: everything else is a leftover that some reader would trip over."""

import re
from collections.abc import Iterable

_HOUR = r"date=\d{4}-\d\d-\d\d/hour=([01]\d|2[0-3])"

NAMES = {
    "alerts of a micro-batch": rf"alerts/{_HOUR}/batch=[0-9a-f]{{8}}-\d{{12}}\.parquet",
    "metrics of a minute": r"metrics/date=\d{4}-\d\d-\d\d/minute=([01]\d|2[0-3])[0-5]\d\.parquet",
}
"""What it is -> the pattern of its whole key, below the prefix."""

ARCHIVE_NAMES = {
    "archive": rf"transactions/{_HOUR}/batch=[0-9a-f]{{8}}-\d{{12}}-\d{{5}}\.parquet",
    "how far the archive has come": r"transactions/_progress/[\w-]{22}\.json",
}
"""The same, where the archive is on."""


def strangers(keys: Iterable[str], *, archive: bool) -> list[str]:
    """Those of `keys` (below the prefix) that the contract does not name."""
    known = [re.compile(pattern) for pattern in (NAMES | (ARCHIVE_NAMES if archive else {})).values()]
    return [key for key in keys if not any(pattern.fullmatch(key) for pattern in known)]
