"""From a route's batches to what is durable: gathering, sending, retrying, dead letters."""
