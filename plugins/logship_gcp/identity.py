"""Who the agent is at Google, and whether Google knows it: for `logship check --live`."""

from dataclasses import dataclass

from logship.api import ConfigError, Finding, Retry, World
from logship_gcp.auth import Anonymous, Authorization, Credentials, DefaultCredentials

ABOUT = "credentials"
_KINDS = {
    "google.oauth2.service_account": "a key file of a service account",
    "google.oauth2.credentials": "a person's, of gcloud",
    "google.auth.compute_engine": "the machine's, of the metadata server",
    "google.auth.impersonated_credentials": "impersonated",
}
_WORKLOAD_POOL = ".svc.id.goog"
_EXPIRED = (
    "they have expired or were revoked: a person's are renewed by "
    "`gcloud auth application-default login`; a key has to be made anew"
)
_UNREACHED = (
    "does this machine reach oauth2.googleapis.com, or its metadata server, and is its clock right?"
)


@dataclass(frozen=True, slots=True)
class Identity:
    authorization: Authorization | None
    """None: there are no credentials that work."""
    member: str
    """As gcloud takes it; a placeholder where it is not known."""
    finding: Finding


async def identify(world: World, *, anonymous: bool) -> Identity:
    """Look for credentials, and get a token."""
    if anonymous:
        return Identity(
            Anonymous(), "ACCOUNT", Finding(ABOUT, "ok", "none are sent to this endpoint")
        )
    found = DefaultCredentials(world)
    try:
        await found.start(pauses_secs=())
        await found.header()
    except ConfigError as error:
        return Identity(None, "ACCOUNT", Finding(ABOUT, "failed", error.reason))
    except Retry as retry:
        expired = any(word in retry.reason for word in ("invalid_grant", "eauth", "revoked"))
        advice = _EXPIRED if expired else _UNREACHED
        return Identity(None, "ACCOUNT", Finding(ABOUT, "failed", retry.reason, advice))
    assert found.found is not None
    return _known(found, found.found)


def _known(authorization: Authorization, credentials: Credentials) -> Identity:
    module = type(credentials).__module__
    kind = next((text for name, text in _KINDS.items() if module.startswith(name)), module)
    email = str(getattr(credentials, "service_account_email", "") or "")
    if email.endswith(_WORKLOAD_POOL):
        said = f"of the workload pool {email}, without a Google service account: {kind}"
        advice = (
            "annotate the Kubernetes service account (iam.gke.io/gcp-service-account), or grant "
            "the roles to its principal://iam.googleapis.com/projects/NUMBER/locations/global/"
            f"workloadIdentityPools/{email}/subject/ns/NAMESPACE/sa/NAME"
        )
        finding = Finding(ABOUT, "warning", said, advice)
        return Identity(authorization, "PRINCIPAL", finding)
    account = email or str(getattr(credentials, "account", "") or "")
    member = f"serviceAccount:{email}" if email else f"user:{account}" if account else "ACCOUNT"
    said = f"{account} ({kind})" if account else kind
    return Identity(authorization, member, Finding(ABOUT, "ok", said))
