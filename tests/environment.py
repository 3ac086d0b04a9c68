"""Loaded before Django's settings (`-p tests.environment`): every run has a VAR_DIR of its own."""

import os
import tempfile
from pathlib import Path

# Also where VAR_DIR is set: the run ends by deleting its own.
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="csplatform-tests-")
Path(os.environ["VAR_DIR"], "static").mkdir(exist_ok=True)  # WhiteNoise warns when it is absent
os.environ.setdefault("CONTENT_POLL_S", "0.05")
os.environ.setdefault("CHAT_BURST_S", "0")  # tests of bursts set it
# Tests start servers (a fork) while gRPC's threads run; its own handlers then hang or abort the child.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
# A busy machine is no test of a cache server that is away.
os.environ.setdefault("CACHE_TIMEOUT_S", "2")
for name in (
    "DATABASE_URL",
    "REDIS_URL",
    "CACHE_URL",
    "BROKER_URL",
    "RESULT_URL",
    "CHANNEL_LAYER_URL",
):
    os.environ.pop(name, None)  # a developer's own servers are not for tests
