"""Spark's Kafka source and from_json alone: what reading and parsing cost without our operator."""
