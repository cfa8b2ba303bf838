"""Who runs a pod, from what the pod itself says. Pure.

A pod names its own controller only (the owner reference with `controller: true`). The object above
that one is told by how Kubernetes builds names, so nothing more is asked of the API:

    ReplicaSet NAME-HASH, pod label `pod-template-hash: HASH`     Deployment NAME
    Job, pod label `jobset.sigs.k8s.io/jobset-name: SET`          JobSet SET
    Job NAME-MINUTES                                              CronJob NAME
    any other                                                     itself

MINUTES are eight digits: when the run was scheduled, in minutes since 1970 (the CronJob controller
since Kubernetes 1.21). Only numbers from 26000000 on count, which is June 2019, so that a Job named
after a day of this century (`backup-20261123`) stays a Job.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

_MINUTES = re.compile(r"-(?:2[6-9]|[3-5]\d)\d{6}", re.ASCII)
_MINUTES_CHARS = 9
_TEMPLATE_HASH = "pod-template-hash"
_JOB_SET = "jobset.sigs.k8s.io/jobset-name"


class Owner(NamedTuple):
    kind: str = ""
    """Empty: nobody."""
    name: str = ""


NOBODY = Owner()


def owner_of(controller: Owner, labels: Mapping[str, str]) -> Owner:
    """Who runs the pods of this controller; `labels` are a pod's."""
    kind, name = controller
    if kind == "ReplicaSet":
        ending = f"-{labels.get(_TEMPLATE_HASH, '')}"
        if len(ending) > 1 and name.endswith(ending) and name != ending:
            return Owner("Deployment", name.removesuffix(ending))
    elif kind == "Job":
        if job_set := labels.get(_JOB_SET):
            return Owner("JobSet", job_set)
        head, minutes = name[:-_MINUTES_CHARS], name[-_MINUTES_CHARS:]
        if head and _MINUTES.fullmatch(minutes):
            return Owner("CronJob", head)
    return controller
