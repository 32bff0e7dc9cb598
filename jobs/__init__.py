"""What runs on Spark: the streaming detection job and its batch companions."""
