"""The environment variables that Kubernetes gives every container; read here and nowhere else."""

from os import environ


def api_server() -> str | None:
    """The URL of the cluster's API server; None outside of a cluster."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host:
        return None
    return f"https://{f'[{host}]' if ':' in host else host}:{port or '443'}"
