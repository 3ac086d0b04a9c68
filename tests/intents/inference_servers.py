"""Real servers of the Open Inference Protocol for tests: our own, and a Triton.

Triton comes out of the nvidia-pytriton wheel, which is installed apart: its metadata wants numpy
below 2, which the server itself does not. Inside is Triton with its Python backend only.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import pytest
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from csplatform import embedded
from tests.live_site import free_port

_WHEEL = "nvidia-pytriton==0.7.0"
_CACHE = Path.home() / ".cache" / "csplatform"


def installed() -> Path:
    """Return where the wheel is unpacked; the first time pip fetches its 55 MB.

    Skips the test with pip's reason where that cannot be.
    """
    final = _CACHE / _WHEEL.replace("==", "-")
    if final.is_dir():
        return final
    _CACHE.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".triton-", dir=_CACHE))
    try:
        command = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(building)]
        made = subprocess.run(
            [*command, "--timeout", "10", "--retries", "1", "--quiet", _WHEEL],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if made.returncode:
            pytest.skip(f"pip cannot fetch {_WHEEL}: {made.stderr.strip().splitlines()[-1]}")
        tree = building / "pytriton" / "tritonserver"
        python = ".".join(map(str, sys.version_info[:2]))
        stub = tree / "python_backend_stubs" / python / "triton_python_backend_stub"
        beside = tree / "backends" / "python" / stub.name  # where Triton looks for it
        shutil.copyfile(stub, beside)
        for program in (beside, tree / "bin" / "tritonserver"):
            program.chmod(0o755)
        if not final.exists():  # another run was quicker
            building.rename(final)
    except subprocess.TimeoutExpired:
        pytest.skip(f"pip cannot fetch {_WHEEL} within three minutes")
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return final


class Server:
    """A server in a process of its own, on a loopback port that stays the same."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"grpc://127.0.0.1:{self._port}"

    def _spawn(self) -> "subprocess.Popen[bytes]":
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it has what it should serve."""
        self._process = self._spawn()
        deadline = time.monotonic() + 60
        while not self._is_ready():
            ended = self._process.poll()
            assert ended is None, f"ended with {ended}: {embedded.tail(self._log)}"
            assert time.monotonic() < deadline, embedded.tail(self._log)
            time.sleep(0.05)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> int:
        """Ask it to end; return its exit status."""
        assert self._process is not None
        return embedded.stop(self._process, grace_s=8)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        embedded.stop(self._process)

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing, as a machine that lost its power."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def texts_and_batches(self, model: str) -> tuple[int, int]:
        """Return how many texts it answered with a model, and in how many runs of it."""
        with self._client() as client:
            [found] = client.get_inference_statistics(model).model_stats
        return found.inference_count, found.execution_count

    def _is_ready(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.is_server_ready(client_timeout=1))
        except InferenceServerException:
            return False

    def _client(self) -> InferenceServerClient:
        """Triton's own client, which our server must please as well."""
        return InferenceServerClient(self.url.removeprefix("grpc://"))


class OwnServer(Server):
    """`manage.py serve_inference` with the models and the encoder of the test's settings."""

    def __init__(self, directory: Path, **environment: str) -> None:
        super().__init__(directory / "own.log")
        self._environment = environment

    def _spawn(self) -> "subprocess.Popen[bytes]":
        return embedded.spawn(
            [sys.executable, "manage.py", "serve_inference", "--port", str(self._port)],
            log=self._log,
            cwd=Path(__file__).resolve().parents[2],
            env={**os.environ, "OMP_NUM_THREADS": "1", **self._environment},
        )


class Triton(Server):
    """A Triton that serves a repository and takes up what is added to it."""

    def __init__(self, repository: Path, directory: Path) -> None:
        super().__init__(directory / "triton.log")
        self._repository, self._root = repository, installed()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        tree = self._root / "pytriton" / "tritonserver"
        libraries = (sysconfig.get_config_var("LIBDIR"), self._root / "nvidia_pytriton.libs")
        return embedded.spawn(
            [
                tree / "bin" / "tritonserver",
                f"--model-repository={self._repository}",
                f"--backend-directory={tree / 'backends'}",
                f"--grpc-port={self._port}",
                "--grpc-address=127.0.0.1",
                "--allow-http=false",
                "--allow-metrics=false",
                "--disable-auto-complete-config",
                "--exit-on-error=false",
                "--exit-timeout-secs=2",
                "--model-control-mode=poll",
                "--repository-poll-secs=1",
            ],
            log=self._log,
            env={
                # The stub's interpreter ignores PYTHONPATH, and takes its packages from the
                # environment of the first python3 on the path.
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
                "OMP_NUM_THREADS": "1",
            },
        )
