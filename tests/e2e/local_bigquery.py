"""local-bigquery as a process: a BigQuery that nobody here wrote, with REST and gRPC on loopback.

It wants Python 3.13 and a venv of its own, so tests find it by LOGSHIP_LOCAL_BIGQUERY, the path of
its executable.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPIError
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from tests.e2e.agent_process import free_port
from tests.e2e.waiting import wait_for

VARIABLE = "LOGSHIP_LOCAL_BIGQUERY"
START_SECS = 30.0
_CALL_SECS = 30.0
_NO_RETRY = Retry(predicate=lambda error: False)


def executable() -> str | None:
    found = os.environ.get(VARIABLE, "")
    return found if Path(found).is_file() else None


class LocalBigQuery:
    def __init__(self, program: str, home: Path, project: str) -> None:
        http, rpc = free_port(), free_port()
        self.environment: Mapping[str, str] = {
            "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{http}",
            "LOGSHIP_BIGQUERY_STORAGE_ENDPOINT": f"127.0.0.1:{rpc}",
        }
        """Named as the sandbox names its own."""
        command = [program, "--host", "127.0.0.1", "--port", str(http), "--grpc-port", str(rpc)]
        command += ["--data-dir", str(home / "local-bigquery"), "--project", project]
        self._log = home / "local-bigquery.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
        endpoint = ClientOptions(api_endpoint=self.environment["BIGQUERY_EMULATOR_HOST"])
        self.client = bigquery.Client(project, nobody, client_options=endpoint)
        try:
            wait_for("answer of local-bigquery", START_SECS, self._answers)
        except AssertionError:
            self.close()
            raise

    def _answers(self) -> bool:
        ended = self._process.poll()
        assert ended is None, f"local-bigquery ended with {ended}:\n{self._log.read_text()}"
        try:
            list(self.client.list_datasets(timeout=1, retry=_NO_RETRY))
        except (GoogleAPIError, OSError):
            return False
        return True

    def rows(self, sql: str) -> Iterator[dict[str, object]]:
        """A query's rows by column."""
        job = self.client.query(sql, job_retry=None, timeout=_CALL_SECS)
        for row in job.result(timeout=_CALL_SECS, job_retry=None):
            yield dict(row.items())

    def close(self) -> None:
        self.client.close()  # type: ignore[no-untyped-call]
        self._process.terminate()
        self._process.wait(START_SECS)
