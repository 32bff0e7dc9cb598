"""The domain: what a transaction is, what the rules say of it, what an alert carries.

Pure: numpy, pyarrow, pydantic. No Kafka, Spark, S3, Streamlit, clock or network.
"""
