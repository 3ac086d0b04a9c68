"""The process that trains: `python -m training.worker RUN_ID`, started by services.execute.

A process of its own, because training may run out of memory, and because no thread or
CUDA context of it may linger in a worker. Only here is torch loaded.
"""

import logging
import os
import signal
import sys
import traceback
from types import FrameType

import django

logger = logging.getLogger(__name__)


def main(run_id: int) -> int:
    """Train a run that `services.execute` claimed; return the exit status."""
    from django.utils import timezone

    from csplatform.priority import make_room_for_others
    from training import failures, services
    from training.making import make
    from training.models import TrainingRun
    from training.progress import Reporter

    make_room_for_others()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        mode = TrainingRun.objects.values_list("mode", flat=True).get(pk=run_id)
        with Reporter(run_id, mode) as report:
            make(run_id, report)
        services.succeed(run_id, now=timezone.now())
    except failures.RunLost:
        logger.warning("Run %s was given up while it trained", run_id)
        return 1
    except (Exception, failures.Interrupted) as error:  # whatever it is, the run has to say so
        services.fail(
            run_id,
            reason=failures.explain(error),
            detail="".join(traceback.format_exception(error)),
            now=timezone.now(),
        )
        return 1
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    from training.failures import Interrupted

    raise Interrupted


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
    django.setup()
    sys.exit(main(int(sys.argv[1])))
