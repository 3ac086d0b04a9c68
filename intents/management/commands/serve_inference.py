"""`manage.py serve_inference`: one process that owns the models and answers all others."""

import asyncio
import logging
import os
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Serve the active model and the encoder by the Open Inference Protocol (gRPC), batched "
        "over all clients. Anybody who reaches the address may ask: keep it in a private network."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8001, help="port, as Triton's gRPC")
        parser.add_argument("--socket", type=Path, help="a Unix socket, instead of host and port")
        parser.add_argument("--tls-certificate", type=Path, help="PEM file; clients use grpcs://")
        parser.add_argument("--tls-key", type=Path, help="PEM file")

    def handle(
        self,
        *args: Any,
        host: str,
        port: int,
        socket: Path | None,
        tls_certificate: Path | None,
        tls_key: Path | None,
        **options: Any,
    ) -> None:
        from intents.inference.server import Identity, serve  # gRPC, only where it is served

        if (tls_certificate is None) != (tls_key is None):
            raise CommandError("--tls-certificate and --tls-key belong together.")
        identity = Identity(tls_certificate, tls_key) if tls_certificate and tls_key else None
        if socket is not None:
            socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            socket.unlink(missing_ok=True)  # of a server that was killed
            address = f"unix://{socket.resolve()}"
        else:
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            in_order = asyncio.run(serve(address, identity))
        except (OSError, RuntimeError) as error:  # grpc raises RuntimeError for a port in use
            raise CommandError(f"{address} cannot be served: {error}") from error
        if not in_order:
            # Ends by the signal, which a supervisor does not count as a crash, and at once.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        # Everything is answered and closed. Taking the interpreter down would now and then abort
        # in gRPC's own threads ("terminate called without an active exception").
        logging.shutdown()
        os._exit(0)
