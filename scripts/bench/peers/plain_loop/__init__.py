"""What many write first: a loop over confluent-kafka with a dict of each user's latest payments."""
