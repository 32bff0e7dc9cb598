"""Simulated card payments, or somebody's own, for the topic `transactions` (`python -m producer`)."""
