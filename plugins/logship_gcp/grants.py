"""What to type so that something at Google is there, or lets the agent in: exact commands. Pure."""

_DISABLED = ("SERVICE_DISABLED", "has not been used in project", "it is disabled")


def is_disabled(message: str) -> bool:
    """Whether Google says that the project does not use this API."""
    return any(words in message for words in _DISABLED)


def enable(service: str, project: str) -> str:
    return f"gcloud services enable {service} --project={project}"


def project_role(project: str, member: str, role: str) -> str:
    return f"gcloud projects add-iam-policy-binding {project} --member={member} --role={role}"


def pubsub_role(kind: str, name: str, member: str, role: str) -> str:
    """`name`: `projects/P/topics/T`, of kind `topics`, or of a subscription."""
    project, resource = _apart(name)
    return (
        f"gcloud pubsub {kind} add-iam-policy-binding {resource} --project={project} "
        f"--member={member} --role={role}"
    )


def create_topic(name: str) -> str:
    project, topic = _apart(name)
    return f"gcloud pubsub topics create {topic} --project={project}"


def create_subscription(name: str, topic: str) -> str:
    project, subscription = _apart(name)
    return (
        f"gcloud pubsub subscriptions create {subscription} --project={project} --topic={topic} "
        "--ack-deadline=60 --message-retention-duration=7d --expiration-period=never"
    )


def list_subscriptions(topic: str) -> str:
    project, name = _apart(topic)
    return f"gcloud pubsub topics list-subscriptions {name} --project={project}"


def dataset_role(project: str, dataset: str, member: str, role: str) -> str:
    """gcloud has no command for it."""
    statement = f'GRANT `{role}` ON SCHEMA `{project}`.`{dataset}` TO "{member}"'
    return f"bq query --project_id={project} --use_legacy_sql=false '{statement}'"


def create_dataset(project: str, dataset: str) -> str:
    return f"bq mk --dataset {project}:{dataset}"


def _apart(name: str) -> tuple[str, str]:
    _, project, _, resource = name.split("/", 3)
    return project, resource
