"""manage.py run: everything on this machine, from one command until Ctrl-C."""

import os
import signal
import sys
import urllib.error
import urllib.request
from socket import socket
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, OperationalError, connection, connections
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from csplatform import embedded, parts, preflight, preparing, terminal, web
from csplatform.checks import SERVERS
from csplatform.errors import Refusal
from csplatform.supervisor import Part, Supervisor


class Command(BaseCommand):
    help = (
        "Prepare and run the whole platform: Valkey (without REDIS_URL), web process, worker, "
        "trainer and the clock of the sweeps. Stops with Ctrl-C."
    )
    requires_system_checks: list[str] = []  # ours run once the servers are up

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-training",
            action="store_false",
            dest="training",
            help="do not train a first model; examples and keywords answer",
        )

    def handle(self, *args: Any, training: bool, **options: Any) -> None:
        if "MAKELEVEL" in os.environ:
            embedded.die_with_parent(signal.SIGTERM)  # whoever kills make means us
        with translation.override(terminal.language()):
            try:
                self._run(training=training)
            except preflight.NotReady as error:
                raise CommandError(str(error)) from error
            except KeyboardInterrupt:
                raise CommandError(_("Stopped."), returncode=130) from None
            except (OSError, DatabaseError) as error:
                if explanation := preflight.explain(error, settings.VAR_DIR):
                    raise CommandError(explanation) from error
                if isinstance(error, OperationalError):
                    raise CommandError(
                        _("The database does not answer. Start it, or correct DATABASE_URL: ")
                        + str(error)
                    ) from error
                raise

    def _run(self, *, training: bool) -> None:
        address = f"http://{_shown(settings.HOST)}:{settings.PORT}"
        preflight.check_python()
        preflight.check_writable(settings.VAR_DIR)
        preflight.check_disk(settings.VAR_DIR)
        with preflight.only_copy(settings.VAR_DIR / "run" / "lock", address) as lock:
            preflight.check_port(settings.HOST, settings.PORT)
            preparing.prepare(sys.stdout)
            connections.close_all()  # from here on, we only watch
            door = web.bound(settings.HOST, settings.PORT)
            supervisor = Supervisor(
                _parts(door),
                log_dir=settings.VAR_DIR / "log",
                show=self._show,
                keep_open=lock,
            )

            def welcome() -> None:
                self._welcome(address)
                if training:
                    self._train_if_there_is_no_model()

            code = supervisor.run(on_ready=welcome)
        if code:
            raise CommandError(_("Stopped because of the failure above."), returncode=code)
        self._show(_("Stopped."))

    def _show(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _welcome(self, address: str) -> None:
        pages = (
            (_("customer page"), "/"),
            (_("demo shop"), "/demo-shop/" if settings.DEMO_SHOP else ""),
            (_("workspace"), "/workspace/"),
            (_("admin"), "/admin/"),
            (_("API"), "/api/docs/"),
        )
        self._show("")
        for name, path in pages:
            if path:
                self._show(f"  {name:<14} {address}{path}")
        if settings.DEMO_SHOP:
            from chat.management.commands.load_people import PEOPLE, password_of

            self._show("")
            self._show(_("  Sign in as (the password stands beside the name):"))
            for username, _name, role in PEOPLE:
                self._show(f"  {username:<14} {password_of(username):<18} {role}")
        self._show("")
        self._show(
            _("  Logs: %(folder)s. Ctrl-C stops everything.") % {"folder": settings.VAR_DIR / "log"}
        )
        self._show("")

    def _train_if_there_is_no_model(self) -> None:
        from training import failures, services
        from training.models import ModelVersion, TrainingRun

        now = timezone.now()
        if connection.vendor == "sqlite":
            # Only this machine uses it, and here nobody trained a moment ago: what the database
            # calls running was killed, and would block the first training for a minute.
            running = TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING)
            for run_id in running.values_list("pk", flat=True):
                services.fail(run_id, reason=failures.died(), detail="", now=now)
        if ModelVersion.objects.exists():
            return
        try:
            services.request_run(now=now)
        except services.AlreadyRunning:
            pass  # queued by the last start, and about to begin
        except Refusal as refusal:
            self._show(f"  {refusal}")
            return
        self._show(
            _(
                "  The first training runs now, for some minutes (progress: admin, training runs). "
                "Until it is done, examples and keywords answer."
            )
        )


def _shown(host: str) -> str:
    return "localhost" if host in ("0.0.0.0", "::", "") else host  # noqa: S104


def _parts(door: socket) -> list[Part]:
    """What runs here, in the order of starting. The web processes first: customers wait for them.

    Args:
        door: What they share.
    """
    names = ["web", *(f"web-{number}" for number in range(2, settings.WEB_PROCESSES + 1))]
    found = [
        *(
            Part(
                name=name,
                command=parts.web_on(door.fileno()),
                stops=0,
                before_start=_check_servers,
                is_ready=_web_answers,  # one of them
                grace_s=web.GRACE_S + 3.0,
                inherits=[door.fileno()],
            )
            for name in names
        ),
        Part(name="worker", command=parts.worker(), stops=1, grace_s=4.0),
        # What it was reading when it is stopped is read again: its lease ends.
        Part(
            name="analyst",
            command=parts.analyst(
                threads=settings.ANALYSIS_THREADS, niceness=settings.ANALYSIS_NICE
            ),
            stops=1,
            grace_s=4.0,
        ),
        # A training that takes minutes is not waited for: it ends, and its run says so.
        Part(name="trainer", command=parts.trainer(), stops=1),
        Part(name="beat", command=parts.beat(directory=settings.VAR_DIR / "run"), stops=1),
    ]
    if settings.INFERENCE_SERVER:
        # First, but nobody waits for it: until it has loaded, examples and keywords answer.
        found.insert(
            0,
            Part(
                name="inference",
                command=parts.inference(socket=settings.INFERENCE_SOCKET),
                stops=1,  # the web processes ask it to the end
                grace_s=8.0,  # open requests have five
            ),
        )
    if settings.REDIS_IS_EMBEDDED:
        valkey = embedded.Valkey(
            socket=settings.VALKEY_SOCKET, directory=settings.VAR_DIR / "valkey"
        )
        found.insert(
            0,
            Part(
                name="valkey",
                command=valkey.command(),
                stops=2,
                before_start=valkey.prepare,
                is_ready=valkey.is_ready,
                is_shown=False,
                die_with=signal.SIGTERM,  # it writes its file first
            ),
        )
    return found


def _check_servers() -> None:
    """Refuse to serve with a server that would lose tasks (csplatform.E001)."""
    errors = [message for message in run_checks(tags=[SERVERS]) if message.is_serious()]
    if errors:
        raise embedded.ServerFailed("\n".join(str(message) for message in errors))


def _web_answers() -> bool:
    host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "") else settings.HOST  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{host}:{settings.PORT}/healthz", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # it answers; what it thinks of itself is /readyz
    except OSError:
        return False
