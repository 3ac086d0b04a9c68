"""What a shop can have: keywords, a model behind a lock, Rasa, and the product, side by side.

    python -m benchmarks.rivals [--rasa-command '…/serve.sh MODEL {port}'] [--json OUT]

Everything is made from --data's train.csv and dev.csv and asked all of test.csv, each text once,
by 1, 100 and 200 clients in turns, round by round, by the same client over HTTP:

    regex     keywords and regular expressions induced from the training split; Flask on threads
    bert      110 M weights behind a global lock; Flask on threads. Without --bert-model they
              are random: its times are real, its answers are not, and no top-1 is given
    rasa      Rasa 3.6, /model/parse (if there is one)
    classify  the product, POST /api/classify: no conversation; a prediction record each is stored
    chat      the product, POST /api/chat: each text from a new visitor, all of it stored

Memory is that of all processes of a server (for the product with its Valkey). Shares are of
the test texts: answered rightly, answered wrongly, asked back, handed over.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import http_load, load, rasa, site, texts, trained_model
from benchmarks.load import Answer, Run, Target
from benchmarks.site import Web, await_idle, await_port, free_port
from csplatform import embedded

CLIENTS = (1, 100, 200)
_START_S = 300.0
_WARM_UP = 50
_ALONE = 200  # texts of a lone client, who would take minutes for all


@contextmanager
def bot(module: str, directory: Path, *arguments: str | Path) -> Iterator[Target]:
    """One of the Flask bots, running."""
    port, log = free_port(), directory / f"{module}.log"
    process = embedded.spawn(
        [sys.executable, "-m", f"benchmarks.{module}", "--port", str(port), *arguments],
        log=log,
        cwd=site.ROOT,
        die_with=signal.SIGKILL,
    )
    try:
        await_port(port, process, log, _START_S)
        await_idle(process.pid)
        yield Target(
            url=f"http://127.0.0.1:{port}/",
            body=lambda text: {"text": text},
            read=_read,
            pids=[process.pid],
        )
    finally:
        embedded.stop(process)


def _read(answer: Any) -> Answer:
    return Answer(answer["intent"], "ANSWER" if answer["intent"] else "HAND_OVER")


def main() -> None:
    options = _options()
    rows = {name: trained_model.read(options.data / f"{name}.csv") for name in ("train", "test")}
    codes = trained_model.codes(label for _text, label in rows["train"])
    warm_up = texts.Supply(texts.read(options.texts)).take(_WARM_UP)
    warm_up_most = 2 * max(CLIENTS)
    asked = texts.distinct(text for text, _label in rows["test"])
    by_name = dict(rows["test"])
    by_code = {text: codes.get(label, "") for text, label in by_name.items()}
    model_dir = trained_model.model_dir(
        options.data / "train.csv", options.data / "dev.csv", options.work
    )
    runs: dict[tuple[str, int], list[Run]] = {}
    with ExitStack() as stack:
        enter = stack.enter_context
        directory = Path(enter(tempfile.TemporaryDirectory(prefix="csplatform-rivals-")))
        data = ("--data", options.data)
        bert = ("--model", options.bert_model) if options.bert_model else ()
        others: dict[str, Target | None] = {
            "regex": enter(bot("regex_bot", directory, *data)),
            "bert": enter(bot("bert_bot", directory, *data, *bert)),
            "rasa": enter(rasa.serving(options, directory)),
        }
        ours = enter(site.prepared(model_dir, options.data / "train.csv"))
        web = enter(site.serving(ours))
        servers: dict[str, Callable[[int, int], Target]] = {
            name: lambda clients, number, target=target: target
            for name, target in others.items()
            if target is not None
        }
        servers["classify"] = lambda clients, number: web.classify(clients)
        servers["chat"] = lambda clients, number: _chat(web, clients, number)
        for number in range(1, options.rounds + 1):
            print(f"round {number} of {options.rounds}")
            for clients in CLIENTS:
                said = warm_up * (1 if clients == 1 else warm_up_most // _WARM_UP)
                some = asked[:_ALONE] if clients == 1 else asked
                for name, target_for in servers.items():
                    ours.forget_answers()
                    run = load.measure(
                        target_for(clients, len(said) + len(some)),
                        said + some,
                        clients=clients,
                        warm_up=len(said),
                        labels=by_code if name in ("classify", "chat") else by_name,
                    )
                    runs.setdefault((name, clients), []).append(run)
                    print(
                        f"{name:10}{clients:4} clients {run.requests_per_s:8.1f}/s"
                        f"  mean {run.mean_ms:8.1f}  p95 {run.p95_ms:8.1f} ms"
                        f"  {run.pss_mb:6.0f} MiB  {run.errors} errors",
                        flush=True,
                    )
    result = report(runs, is_bert_trained=bool(options.bert_model))
    _print(result)
    print("repeat: python -m benchmarks.rivals " + " ".join(map(http_load.quoted, sys.argv[1:])))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")


def _chat(web: Web, clients: int, number: int) -> Target:
    """Every text comes from somebody new: what was said before decides nothing."""
    return web.chat(web.visitors(clients + number), cached=True, renew_on="{")


def report(
    runs: dict[tuple[str, int], list[Run]], *, is_bert_trained: bool
) -> dict[str, dict[str, Any]]:
    """Return medians by server and clients, "chat, 100 clients"."""
    result = {}
    for (name, clients), some in runs.items():
        figures = load.median(some)
        if name == "bert" and not is_bert_trained:
            figures |= dict.fromkeys(load.SHARES)
        result[f"{name}, {clients} clients"] = figures
    return result


def _print(result: dict[str, dict[str, Any]]) -> None:
    heads = (
        "req/s",
        "mean ms",
        "p95 ms",
        "CPU ms",
        "MiB",
        "top-1",
        "right",
        "wrong",
        "asked",
        "handed",
    )
    keys = ("requests_per_s", "mean_ms", "p95_ms", "cpu_ms_per_request", "pss_mb")
    print(f"\n{'':24}" + "".join(f"{head:>9}" for head in heads))
    for name, run in result.items():
        shares = ["-" if run[key] is None else f"{run[key]:.1%}" for key in load.SHARES]
        print(
            f"{name:24}"
            + "".join(f"{run[key]:9.1f}" for key in keys)
            + "".join(f"{share:>9}" for share in shares)
        )
    if any(name.startswith("bert") and run["top1"] is None for name, run in result.items()):
        print("bert: random weights, so its top-1 is not measured")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    http_load.add_data_options(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bert-model", type=Path, help="a trained one: a transformers directory")
    rasa.add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
