"""The archive of payments: a query beside detection, from `transactions` to Parquet on the object store."""
