"""Whatever happens to a node, every row that the agent could see arrives at every route.

The real agent (source, catalog, followers, feeds, routes, senders, checkpoint) runs on virtual time
over real files, while applications, a runtime and a kubelet write, rotate, compress and delete, its
destinations fail, and it is itself killed, stopped and away.

What was removed from the agent, and after how many examples (of 50 steps) a test here failed:
identity by content 4, STARTED marker 4, settling before delivery 4, floor that waits for all feeds
4, join across generations 6, open part holds the position back 6, join timeout 6, descriptors kept
after unlink 10, nameless files kept 12, `.tmp` skipped 68, position before what is out 88, gaps 93,
released spans read again 94, and before anything else 93, copy of a held generation (hangs). Not
found here, but by tests of their own in `tests/logship/faults` and `tests/plugins/logship_tail`:
waiting for a saved generation, live file last, polling before the end, `.tmp` in the source. Found
by nothing that was run: floor of settled generations (costs work only), ignoring by inode alone,
the new name of a nameless file. Not decided: a second look when names moved, the quiet time.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.property.agent_model.files import Files, TruncatedFiles
from tests.property.agent_model.machine import Node

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "150"))
SHRINKING = [Phase.shrink] if os.environ.get("HYPOTHESIS_SHRINK") else []
"""An example is some hundred steps of a whole agent: to shrink one takes many minutes."""
SETTINGS = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate, *SHRINKING],
    max_examples=EXAMPLES,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

Node.TestCase.settings = SETTINGS
Files.TestCase.settings = SETTINGS
TruncatedFiles.TestCase.settings = SETTINGS

TestNode = pytest.mark.timeout(600)(Node.TestCase)
TestFiles = pytest.mark.timeout(600)(Files.TestCase)
TestTruncatedFiles = pytest.mark.timeout(600)(TruncatedFiles.TestCase)
