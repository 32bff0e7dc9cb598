"""A simulated AWS for the lifecycle of `terraform/`: moto's server, mended where the provider needs more.

`python -m tests.terraform.simulator PORT` serves one empty account. What it hides or forgives is said beside
each patch (`hides.py`), with the promise about the plan that covers it.
"""
