"""Measures the pipeline: throughput catching up, latency at a steady rate, and what both cost."""
