"""Quix Streams: one function with state a user, in RocksDB with a changelog topic."""
