"""Whether Cloud Logging would take entries: a write with `dryRun`, which stores nothing."""

import orjson

from logship.api import ConfigError, Context, Finding, Level
from logship_gcp import grants
from logship_gcp.cloud_logging.config import CloudLoggingConfig
from logship_gcp.cloud_logging.frames import Place
from logship_gcp.cloud_logging.place import find_place
from logship_gcp.cloud_logging.responses import Answer, Later, error_of
from logship_gcp.cloud_logging.transport import Transport
from logship_gcp.identity import Identity, identify
from logship_gcp.metadata_server import MetadataServer

_PATIENCE_SECS = 2.0
_TIMEOUT_SECS = 15.0
_SERVICE = "logging.googleapis.com"


async def check_live(config: CloudLoggingConfig, context: Context) -> list[Finding]:
    world = context.world
    identity = await identify(world, anonymous=config.anonymous)
    found = [identity.finding]
    if identity.authorization is None:
        return found
    try:
        metadata = MetadataServer(world.clock, patience_secs=_PATIENCE_SECS)
        place = await find_place(config, context.cluster, metadata, "")
    except ConfigError as error:
        return [*found, Finding(f"`{error.path}`", "failed", error.reason)]
    transport = Transport(
        config.endpoint, identity.authorization, world.offload, timeout_secs=_TIMEOUT_SECS,
        concurrency=1, gzip=False,
    )  # fmt: skip
    await transport.start()
    try:
        answer = await transport.post([_dry_run(place)])
    finally:
        await transport.close()
    return [*found, judged(answer, place.project, config.endpoint, identity)]


def _dry_run(place: Place) -> bytes:
    where = {"project_id": place.project, "location": place.location}
    entry = {
        "logName": place.log_names["stdout"],
        "resource": {"type": "k8s_container", "labels": where | {"cluster_name": place.cluster}},
        "textPayload": "logship check",
    }
    return orjson.dumps({"dryRun": True, "entries": [entry]})


def judged(answer: Answer | Later, project: str, endpoint: str, identity: Identity) -> Finding:
    """What the answer to a write means. Pure."""
    about = f"writing entries to project {project}"
    if isinstance(answer, Later):
        advice = f"does this machine reach {endpoint} (DNS, firewall, NetworkPolicy, proxy)?"
        return Finding(about, "failed", answer.reason, advice)
    if 200 <= answer.status < 300:
        return Finding(about, "ok", "allowed")
    said = error_of(answer.body)
    reason = f"HTTP {answer.status}: {said.message or said.status or 'no message'}"
    level: Level = "warning" if answer.status in (429, 500, 503) else "failed"
    return Finding(about, level, reason, _advice(answer.status, said.message, project, identity))


def _advice(status: int, message: str, project: str, identity: Identity) -> str:
    if status == 401:
        return "the credentials are not accepted: is the account disabled, or the clock wrong?"
    if status == 403 and grants.is_disabled(message):
        return grants.enable(_SERVICE, project)
    if status == 403:
        return grants.project_role(project, identity.member, "roles/logging.logWriter")
    if status == 404:
        return f"is there a project {project}? Check `project` and `endpoint`"
    return "check `project`, `log_id` and `endpoint`" if status == 400 else ""
