"""The options of the source `kubernetes` about what is known of pods."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class MetadataConfig(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"from_": "from"},
):
    """Where labels, annotations and owners of pods come from."""

    from_: Annotated[
        Literal["api", "file", "none"] | None,
        Meta(
            description="`api`: the cluster's API server; `file`: the file at `path`; `none`: only "
            "what the path of a log says. Default: `api` inside of a cluster, else `none`."
        ),
    ] = None
    path: Annotated[
        str | None,
        Meta(
            description="For `from: file`: YAML or JSON with a list `pods` of namespace, name, "
            "uid, labels, annotations, owner_kind and owner_name (all but the first two optional), "
            "and perhaps a list `namespaces` of name and labels. It is read again when it changes.",
            examples=["/etc/logship/pods.yaml"],
        ),
    ] = None
    server: Annotated[
        str | None,
        Meta(
            pattern="^https://[^/]+$",
            description="For `from: api`: its URL. Default: the cluster's own.",
            examples=["https://10.0.0.1:443"],
        ),
    ] = None
    token_path: Annotated[
        str, Meta(description="File of the service account's token; it may rotate.")
    ] = f"{ACCOUNT}/token"
    ca_path: Annotated[
        str, Meta(description="File of the certificates that the API server is checked against.")
    ] = f"{ACCOUNT}/ca.crt"
    keep_secs: Annotated[
        float,
        Meta(
            ge=0,
            description="How long the metadata of a deleted pod is kept: its last lines "
            "are read after it is gone.",
        ),
    ] = 300.0
    keep_pods: Annotated[
        int, Meta(ge=0, description="Metadata of so many deleted pods is kept, the newest.")
    ] = 1000
    namespace_labels: Annotated[
        bool,
        Meta(
            description="Whether the labels of namespaces are known too (`match: "
            "{namespace_labels: ...}`). Each agent then watches all namespaces, and needs the "
            "right to get, list and watch them; without it, logs whose routes need labels wait."
        ),
    ] = False
