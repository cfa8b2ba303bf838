"""BigQuery: rows into a partitioned table through the Storage Write API."""
