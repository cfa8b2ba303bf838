"""The sink `cloud_logging`: rows to Google Cloud Logging over `entries:write`.

`frames`, `entries`, `special` and `requests` turn batches into requests without any I/O; `delivery`
and `responses` decide what an answer means; `transport` has the HTTP; `sink` is the component.
"""

from logship_gcp.cloud_logging.config import CloudLoggingConfig
from logship_gcp.cloud_logging.sink import CloudLogging

__all__ = ["CloudLogging", "CloudLoggingConfig"]
