"""The process that compares: `python -m training.comparisons.worker`, started by services.execute.

A process of its own: the models that it opens leave their memory with it, and it yields the
processor to those who chat.
"""

import os
import sys

import django


def main() -> int:
    """Carry out all comparisons that wait, the oldest first; return the exit status."""
    from django.utils import timezone

    from csplatform.priority import make_room_for_others
    from training.comparisons import services, work

    make_room_for_others()
    while (comparison := services.claim(now=timezone.now())) is not None:
        work.carry_out(comparison)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
    django.setup()
    sys.exit(main())
