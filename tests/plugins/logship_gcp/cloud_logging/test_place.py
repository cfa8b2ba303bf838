"""Where the agent runs, and which endpoints are allowed."""

import pytest
from logship_gcp.cloud_logging.config import CloudLoggingConfig
from logship_gcp.cloud_logging.frames import Place
from logship_gcp.cloud_logging.place import find_place
from logship_gcp.metadata_server import CLUSTER, LOCATION, PROJECT, ZONE, NoMetadataServer

from logship.api import ConfigError
from tests.plugins.logship_gcp.cloud_logging.batches import run_bounded


class Known:
    """A metadata server that knows these values; None: there is no server."""

    def __init__(self, values: dict[str, str] | None) -> None:
        self.values = values
        self.asked: list[str] = []

    async def get(self, path: str) -> str | None:
        self.asked.append(path)
        if self.values is None:
            raise NoMetadataServer("no metadata server at x: no answer")
        return self.values.get(path)


def place(options: dict[str, str], cluster: str, values: dict[str, str] | None) -> Place:
    config = CloudLoggingConfig(**options)  # type: ignore[arg-type]
    return run_bounded(find_place(config, cluster, Known(values), "1.0"))  # type: ignore[arg-type]


GKE = {PROJECT: "p", LOCATION: "europe-west1", CLUSTER: "c"}


def test_options_come_first_and_then_nobody_is_asked() -> None:
    options = {"project": "a", "location": "b", "cluster": "d"}
    assert place(options, "e", None) == Place("a", "b", "d", None, "1.0")


def test_the_agents_own_cluster_comes_before_the_metadata_servers() -> None:
    assert place({}, "e", GKE) == Place("p", "europe-west1", "e", None, "1.0")


def test_on_gke_everything_is_known() -> None:
    assert place({}, "", GKE) == Place("p", "europe-west1", "c", None, "1.0")


def test_a_machine_outside_of_clusters_has_its_zone() -> None:
    values = {PROJECT: "p", ZONE: "projects/123/zones/europe-west1-b"}
    assert place({}, "", values) == Place("p", "europe-west1-b", "", None, "1.0")


def test_no_cluster_is_no_error() -> None:
    assert place({"project": "a", "location": "b"}, "", None).cluster == ""


@pytest.mark.parametrize(
    ("options", "values", "missing"),
    [
        ({}, None, "project"),
        ({"project": "p"}, None, "location"),
        ({"project": "p"}, {PROJECT: "p"}, "location"),
    ],
)
def test_what_nobody_knows_is_an_error_that_names_the_option(
    options: dict[str, str], values: dict[str, str] | None, missing: str
) -> None:
    with pytest.raises(ConfigError, match=f"{missing}: set `{missing}`"):
        place(options, "", values)


@pytest.mark.parametrize(
    "endpoint",
    ["http://logging.example", "ftp://127.0.0.1", "logging.googleapis.com", "https://x/v2", ""],
)
def test_endpoints_that_would_leak_or_fail_are_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CloudLoggingConfig(endpoint=endpoint)
    assert caught.value.path == "endpoint"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost/"])
def test_loopback_needs_no_credentials(endpoint: str) -> None:
    assert CloudLoggingConfig(endpoint=endpoint).anonymous
    assert not CloudLoggingConfig().anonymous
