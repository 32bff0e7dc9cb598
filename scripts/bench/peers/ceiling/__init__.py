"""What one process can do at most: blocks of records through pyarrow.json and numpy, nothing durable."""
