"""The whole stack without Docker: broker, S3 server, job and producer as supervised processes."""
