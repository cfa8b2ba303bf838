"""The options of the sink `cloud_logging`. This class is also their documentation."""

import ipaddress
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from logship.api import DEFAULT_KEYS, ConfigError

MAX_REQUEST_BYTES = 10_485_760
"""Of Google: `Request payload size exceeds the limit: 10485760 bytes`."""

_DAY_SECS = 86_400
_Name: TypeAlias = Annotated[str, Meta(min_length=1)]
_LogId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9/_.-]{1,511}$")]


class CloudLoggingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows become entries as Google's own agent on GKE writes them."""

    project: Annotated[
        _Name | None,
        Meta(
            description="Project that gets the entries. Default: asked of the metadata server.",
            examples=["my-project"],
        ),
    ] = None
    location: Annotated[
        _Name | None,
        Meta(
            description="Region or zone of the cluster. Default: asked of the metadata server.",
            examples=["europe-west1"],
        ),
    ] = None
    cluster: Annotated[
        str | None,
        Meta(
            description="Name of the cluster. Default: the agent's `cluster`, else asked of the "
            "metadata server. Empty: there is none."
        ),
    ] = None
    log_id: Annotated[
        _LogId | None,
        Meta(
            description="Name of the log. Default: `stdout` or `stderr`, by the row's stream.",
        ),
    ] = None
    json: Annotated[
        Literal["auto", "never"],
        Meta(
            description="`auto`: a text that is a JSON object becomes a jsonPayload, and its "
            "special fields become fields of the entry. `never`: it stays a text, unless a "
            "transform has parsed it."
        ),
    ] = "auto"
    severity_keys: Annotated[
        tuple[str, ...],
        Meta(
            description="Fields that may say the severity, most telling first. `severity` is "
            "taken out of the payload, the others stay in it."
        ),
    ] = DEFAULT_KEYS
    oversize: Annotated[
        Literal["split", "cut"],
        Meta(
            description="A text that is larger than an entry may be (about 240 KiB): `split` sends "
            "it in several entries that Cloud Logging knows to be one (its field `split`), `cut` "
            "sends its beginning, labelled `logship/cut`."
        ),
    ] = "split"
    trace_keys: Annotated[
        tuple[str, ...],
        Meta(description="Fields that may name the trace, most telling first."),
    ] = ("logging.googleapis.com/trace",)
    oldest_time_secs: Annotated[
        float,
        Meta(
            ge=0,
            description="An application's own time that is longer than this (a day or more) before "
            "the runtime's is replaced by it, and the entry labelled `logship/clamped`: Cloud "
            "Logging does not store entries that are older than their bucket keeps entries (30 "
            "days by default). 0: any time is believed.",
        ),
    ] = 30 * 86400.0
    version_label: Annotated[
        bool,
        Meta(
            description="Whether entries carry the label `logship/version`, so that an exclusion "
            "filter can tell agents apart during a migration."
        ),
    ] = True
    endpoint: Annotated[
        str,
        Meta(
            description="Where Cloud Logging is. http:// is allowed on loopback only, and then "
            "no credentials are sent."
        ),
    ] = "https://logging.googleapis.com"
    credentials: Annotated[
        Literal["default", "anonymous"],
        Meta(
            description="`default`: Application Default Credentials (Workload Identity, a key "
            "file, gcloud). `anonymous`: none."
        ),
    ] = "default"
    gzip: Annotated[
        bool,
        Meta(description="Whether requests are compressed: less egress, more CPU."),
    ] = False
    max_request_bytes: Annotated[
        int,
        Meta(ge=2 << 20, le=MAX_REQUEST_BYTES, description="Bound of one request's body."),
    ] = 4 << 20
    concurrency: Annotated[
        int, Meta(ge=1, le=64, description="Requests on their way at once, at most.")
    ] = 4
    request_timeout_secs: Annotated[
        float, Meta(gt=0, le=600, description="How long a request may take, answer included.")
    ] = 60.0

    def __post_init__(self) -> None:
        if 0 < self.oldest_time_secs < _DAY_SECS:
            raise ConfigError("oldest_time_secs", "must be 0 or at least a day (1d)")
        url = urlsplit(self.endpoint)
        if url.scheme not in ("http", "https") or not url.hostname or url.path not in ("", "/"):
            raise ConfigError(
                "endpoint",
                f"{self.endpoint!r} is not an address such as https://logging.googleapis.com",
            )
        if url.scheme == "http" and not is_loopback(url.hostname):
            raise ConfigError(
                "endpoint",
                f"{self.endpoint!r} would send logs in the clear: use https:// "
                "(http:// is for loopback only)",
            )

    @property
    def anonymous(self) -> bool:
        """Whether no credentials are to be sent."""
        return self.credentials == "anonymous" or self.endpoint.startswith("http:")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
