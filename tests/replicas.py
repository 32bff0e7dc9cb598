"""How whole a Kafka cluster is."""

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient


def are_in_sync(admin: AdminClient, size: int, *topics: str) -> bool:
    """Whether so many brokers are there, and each has a replica in sync of all of these topics."""
    try:
        metadata = admin.list_topics(timeout=10)
    except KafkaException:  # asked again
        return False
    return len(metadata.brokers) == size and all(
        len(partition.isrs) == size
        for topic in topics
        for partition in metadata.topics[topic].partitions.values()
    )
