"""Keeps text and bytes in Arrow's memory on their way from Spark to the operator.

pyspark makes a Python object of each value of these columns, and the operator would make Arrow of them again:
a microsecond a record for nothing. With this, its frames hold the Arrow arrays themselves. Should a later
pyspark not use this method, the objects are back, and nothing else changes.
"""

from typing import Any

import pandas as pd
import pyarrow as pa
from pyspark.sql.pandas.serializers import ApplyInPandasWithStateSerializer

_to_pandas = ApplyInPandasWithStateSerializer.arrow_to_pandas


def keeping_arrow(self: Any, column: pa.ChunkedArray, *others: Any, **named: Any) -> "pd.Series[Any]":
    """What takes the place of the serializer's own method."""
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type):
        return pd.Series(pd.arrays.ArrowExtensionArray(column), name=column._name)
    # Silenced: pyspark leaves it untyped.
    return _to_pandas(self, column, *others, **named)  # type: ignore[no-any-return, no-untyped-call]


# Silenced: a method is replaced, on purpose.
ApplyInPandasWithStateSerializer.arrow_to_pandas = keeping_arrow  # type: ignore[method-assign, assignment]
