"""Bytewax: a dataflow with state a user, in memory."""
