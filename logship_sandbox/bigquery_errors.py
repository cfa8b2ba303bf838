"""Google's JSON errors: what every refusal of the sandbox's BigQuery is made of.

`reason` is BigQuery's own word, because the real client decides by it what to retry. The shape:
https://cloud.google.com/bigquery/docs/error-messages
"""

from dataclasses import dataclass

HTTP_STATUS = {
    "invalid": 400,
    "invalidQuery": 400,
    "resourceInUse": 400,
    "stopped": 400,
    "notImplemented": 400,  # 501 makes some clients try again
    "accessDenied": 403,
    "responseTooLarge": 403,
    "notFound": 404,
    "duplicate": 409,
    "conditionNotMet": 412,
    "rateLimitExceeded": 429,
    "internalError": 500,
    "backendError": 503,
}


@dataclass(frozen=True)
class ApiError(Exception):
    """A refused call. `reason` is one of HTTP_STATUS; `message` is for people."""

    reason: str
    message: str

    def __str__(self) -> str:
        return self.message

    @property
    def status(self) -> int:
        return HTTP_STATUS[self.reason]

    def proto(self) -> dict[str, str]:
        """An ErrorProto, as it stands in a job's status."""
        return {"reason": self.reason, "message": self.message, "location": "query"}

    def body(self) -> dict[str, object]:
        """The body of the HTTP answer."""
        error = {"reason": self.reason, "message": self.message, "domain": "global"}
        return {"error": {"code": self.status, "message": self.message, "errors": [error]}}


def invalid(message: str) -> ApiError:
    return ApiError("invalid", message)


def invalid_query(message: str) -> ApiError:
    return ApiError("invalidQuery", message)


def unsupported(what: str) -> ApiError:
    """A query that BigQuery may well answer, and the sandbox does not."""
    return ApiError(
        "invalidQuery",
        f"The sandbox does not support {what}. It answers one SELECT; the supported SQL is listed "
        "in logship_sandbox/bigquery_sql.py.",
    )
