"""The streaming detection job: Kafka -> operator on Spark -> alerts (Parquet, Kafka), rejects, metrics."""
