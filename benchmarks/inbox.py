"""What the agents' lists cost with many conversations, against the same with 1,000.

    python -m benchmarks.inbox [--conversations 100000] [--lines 10] [--database sqlite|postgresql]
                               [--rounds 30] [--json OUT]

Makes two databases in a temporary directory, with 10 % of the conversations open: a tenth of those
wait, a twentieth are with agents, the bot has the rest. Each read is made as sockets and REST views make it, in
one process, on a warm cache. The ratio is that of the least times of both databases, which other work on
the machine disturbs least. It fails when a read takes more queries in the large one. A word that nearly every line
has, one that one line in ten thousand has and one that none has are searched for.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BASELINE = 1_000
OPEN_SHARE = 0.1
WAITING_SHARE, WITH_AGENT_SHARE = 0.1, 0.05  # of the open ones
AGENTS, LABELS = 20, 8
# Characters of the lines, the frequent ones first: about as often as in Chinese text.
_CHARACTERS = "的我是不了一在有你这们个到人要么就好都能可以说没什时候上来去吗会还把给后下单货件款物流快递退换发票尺码质量优惠券地址客服订商品"
COMMON, RARE, RAREST, ABSENT = "的我", "榴莲", "榴莲蛋糕", "犰狳"
_RARE_EVERY = 10_000
_BATCH = 5_000


def lines(number: int, dice: random.Random) -> Iterator[str]:
    """Yield texts of 6 to 40 characters; one in ten thousand speaks of the rare thing."""
    weights = [1 / (rank + 3) for rank in range(len(_CHARACTERS))]
    for at in range(number):
        text = "".join(dice.choices(_CHARACTERS, weights, k=dice.randint(6, 40)))
        yield f"{text[:5]}{RAREST}{text[5:]}" if at % _RARE_EVERY == 7 else text


def fill(conversations: int, each: int) -> None:
    """Write conversations with `each` lines, and who has them."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.db import connection, transaction

    from chat.models import (
        AgentProfile,
        Assignment,
        Conversation,
        ConversationLabel,
        Handover,
        Label,
        Message,
        Queue,
    )

    dice, now = random.Random(7), datetime.now(UTC)  # noqa: S311
    users = get_user_model().objects
    agents = [users.create(username=f"bench{n}", is_active=True) for n in range(AGENTS)]
    for agent in agents:
        agent.groups.add(Group.objects.get(name="agent"))
        AgentProfile.objects.create(user=agent)
    labels = [Label.objects.create(name=f"label {n}") for n in range(LABELS)]
    queue = Queue.objects.first()
    texts = lines(conversations * each, dice)
    for begin in range(0, conversations, _BATCH):
        rows, said, handed, had, labelled = [], [], [], [], []
        for at in range(begin, min(begin + _BATCH, conversations)):
            moment = now - timedelta(seconds=60 * (conversations - at))
            is_open = dice.random() < OPEN_SHARE
            lot = dice.random()
            status = "CLOSED"
            if is_open:
                status = "BOT"
                if lot < WAITING_SHARE:
                    status = "WAITING"
                elif lot < WAITING_SHARE + WITH_AGENT_SHARE:
                    status = "AGENT"
            agent = dice.choice(agents) if status == "AGENT" else None
            one = Conversation(
                id=uuid.UUID(int=dice.getrandbits(128), version=4),
                uid=f"C{at}",
                open_for=f"C{at}" if is_open else None,
                status=status,
                agent=agent,
                queue=queue if status in ("WAITING", "AGENT") else None,
                opened_at=moment,
                changed_at=moment,
                waiting_since=moment if status == "WAITING" else None,
                last_seq=each,
            )
            rows.append(one)
            said += [
                Message(
                    conversation=one,
                    seq=seq,
                    sender="CUSTOMER" if seq % 2 else "BOT",
                    text=next(texts),
                    sent_at=moment + timedelta(seconds=seq),
                )
                for seq in range(1, each + 1)
            ]
            if status in ("WAITING", "AGENT") or at % 5 == 0:
                handed.append(
                    Handover(
                        conversation=one, requested_at=moment, because="CUSTOMER", intent="refund"
                    )
                )
            if agent:
                had.append(
                    Assignment(conversation=one, active_for=one, agent=agent, assigned_at=moment)
                )
            if at % 4 == 0:
                labelled.append(
                    ConversationLabel(
                        conversation=one,
                        label=dice.choice(labels),
                        labelled_by=agents[0],
                        labelled_at=moment,
                    )
                )
        with transaction.atomic():
            Conversation.objects.bulk_create(rows)
            Message.objects.bulk_create(said, batch_size=_BATCH)
            Handover.objects.bulk_create(handed)
            Assignment.objects.bulk_create(had)
            ConversationLabel.objects.bulk_create(labelled)
    if connection.vendor == "postgresql":  # as its autovacuum does in time; SQLite has none
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def reads() -> dict[str, Callable[[], Any]]:
    """Return what is measured, by name."""
    from chat import inbox, sockets
    from chat.models import AgentProfile, Conversation, Label

    agent = AgentProfile.objects.order_by("pk").first()
    assert agent is not None
    viewer = inbox.viewer(agent.user_id, is_supervisor=False)
    now = datetime.now(UTC)
    waiting = Conversation.objects.filter(status="WAITING").order_by("pk").first()
    assert waiting is not None
    label = Label.objects.order_by("pk").first()
    assert label is not None

    def page(view: str, after: str = "", **wanted: Any) -> Any:
        return inbox.page(
            inbox.View(view), viewer, wanted=inbox.Wanted(**wanted), after=after, now=now
        )

    deep = ""
    for _page in range(10):
        deep = page("closed", deep).after or deep
    return {
        "inbox": lambda: (inbox.whole(viewer), inbox.counts(viewer)),
        "inbox, one changed": lambda: inbox.changed(viewer, [waiting.pk], inbox.read([waiting.pk])),
        "page of all open": lambda: page("all"),
        "page of the ended": lambda: page("closed"),
        "its eleventh page": lambda: page("closed", deep),
        "the ended, one label": lambda: page("closed", label_id=label.pk),
        "all open, one matter": lambda: page("all", intent="refund"),
        "conversation page": lambda: (
            sockets.messages(
                (news := sockets.news(waiting.pk, 0)).conversation, news.messages, for_staff=True
            ),
            inbox.entry_of(waiting.pk, viewer),
        ),
        f"search {COMMON} (everywhere)": lambda: inbox.search(COMMON),
        f"search {RARE} (rare)": lambda: inbox.search(RARE),
        f"search {RAREST} (rare)": lambda: inbox.search(RAREST),
        f"search {ABSENT} (nowhere)": lambda: inbox.search(ABSENT),
    }


def measure(conversations: int, each: int, rounds: int) -> dict[str, Any]:
    """Fill the database that the environment names, and time each read in milliseconds."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    fill(conversations, each)
    filled_s = time.perf_counter() - began
    figures = {}
    for name, read in reads().items():
        with CaptureQueriesContext(connection) as queries:
            read()
        times = []
        for _round in range(rounds):
            begin = time.perf_counter()
            read()
            times.append((time.perf_counter() - begin) * 1000)
        figures[name] = {
            "least_ms": round(min(times), 2),
            "p50_ms": round(statistics.median(times), 2),
            "max_ms": round(max(times), 2),
            "queries": len(queries),
        }
    return {"conversations": conversations, "filled_s": round(filled_s, 1), "reads": figures}


def measured(conversations: int, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one size in a process and a database of its own."""
    from csplatform import embedded

    with tempfile.TemporaryDirectory(prefix="inbox-") as directory:
        environment = {**os.environ, "VAR_DIR": directory, "LOG_LEVEL": "WARNING"}
        environment.pop("DATABASE_URL", None)
        server = None
        if options.database == "postgresql":
            server = embedded.Postgres(Path(directory) / "pg")
            server.start()
            environment["DATABASE_URL"] = f"postgres://{server.USER}@/{server.directory}/postgres"
        try:
            output = subprocess.run(
                [
                    *(sys.executable, "-m", "benchmarks.inbox", "--one", str(conversations)),
                    *("--lines", str(options.lines), "--rounds", str(options.rounds)),
                ],
                env={**environment, "DJANGO_SETTINGS_MODULE": "csplatform.settings"},
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            ).stdout
        finally:
            if server is not None:
                server.stop()
    return dict(json.loads(output.splitlines()[-1]))


def main() -> int:
    """Print the table; 1 where something takes more queries with more conversations."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=10, help="of each conversation")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.lines, options.rounds)))
        return 0
    small, large = measured(BASELINE, options), measured(options.conversations, options)
    print(
        f"{options.database}, {options.conversations:,} conversations with {options.lines} lines, "
        f"against {BASELINE:,}; {options.rounds} rounds"
    )
    print(f"{'':34}{'least ms':>9}{'p50 ms':>9}{'max ms':>9}{'ratio':>8}{'queries':>9}")
    for name, figures in large["reads"].items():
        baseline = small["reads"][name]
        ratio = figures["least_ms"] / max(0.01, baseline["least_ms"])
        print(
            f"{name:34}{figures['least_ms']:9.1f}{figures['p50_ms']:9.1f}{figures['max_ms']:9.1f}{ratio:8.1f}"
            f"{figures['queries']:9}"
        )
    if options.json:
        options.json.write_text(json.dumps([small, large], ensure_ascii=False, indent=1))
    more = [
        name
        for name, figures in large["reads"].items()
        if figures["queries"] > small["reads"][name]["queries"] and not name.startswith("search")
    ]
    for name in more:
        print(f"more queries with more conversations: {name}", file=sys.stderr)
    return 1 if more else 0


if __name__ == "__main__":
    sys.exit(main())
