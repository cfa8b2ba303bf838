"""Google Cloud: Cloud Logging, Pub/Sub and BigQuery."""
