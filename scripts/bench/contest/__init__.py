"""The pipeline beside its peers: one load, one broker, one way to measure for all contestants."""
