"""PyFlink SQL: windows over event time, on Flink's own cluster in one process."""
