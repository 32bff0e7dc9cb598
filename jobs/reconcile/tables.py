"""Objects of the bucket as Arrow tables."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.detect.errors import JobError


def table_of(key: str, content: bytes, schema: pa.Schema) -> pa.Table:
    """The columns of `schema` in a Parquet object, null where it has none. Raises JobError if it is none."""
    try:
        return pq.read_table(io.BytesIO(content), schema=schema, columns=schema.names, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise JobError(f"{key} cannot be read: {error}") from error
