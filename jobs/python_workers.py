"""What every function must import that Spark runs in its Python workers."""

import zipimport

# Before each Python task Spark's worker calls importlib.invalidate_caches(), which reads pyspark.zip
# again: 150 ms a task. That file does not change under a running job. (Silenced below: a method is
# replaced, and its argument has no use.)
zipimport.zipimporter.invalidate_caches = lambda self: None  # type: ignore[method-assign] # noqa: ARG005
