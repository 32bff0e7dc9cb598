"""Closed hours of alerts, each as one object: `python -m jobs.compact`, any number of times."""
