"""What somebody would use instead of this pipeline: each contestant is one small program.

A contestant reads the topic of payments from its beginning, applies the three rules and writes its alerts,
JSON objects with `rule_id` and `transaction_id`, to a topic of its own, until it is stopped. It finds where
in its environment (`given.py`), and its packages, beside it in `requirements.lock`, in an environment of
its own.
"""
