"""One run: start the product, let people write, hurt it, let it recover, and judge."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass

from tests.faults import browsers
from tests.faults.agent import Agent
from tests.faults.customer import Customer, Person
from tests.faults.injector import Injector
from tests.faults.inside import BROKEN
from tests.faults.product import Product
from tests.faults.proxy import Proxy
from tests.faults.verdict import QUERY, Row, Verdict, by_conversation, judge, judge_screen

MESSAGES_OF_A_BROWSER = 15
# After the last fault everything must be in order within this time.
RECOVERY_S = 90.0
BROKEN_RECOVERY_S = 15.0  # there is nothing to wait for
AGENTS = ("agent", "agent2", "supervisor")  # of the demo
# One person in so many uses two devices at once.
WITH_TWO_DEVICES = 5


@dataclass(frozen=True)
class Options:
    """What is asked for on the command line."""

    messages: int
    clients: int
    every: float
    faults_every: float
    browsers: int
    seed: int
    database: str
    web_processes: int
    broken: str
    keep: bool


@dataclass
class Run:
    """What came of it."""

    verdict: Verdict
    faults: Counter[str]
    reconnects: int
    over_rest: int
    reloads: int
    taken: int  # conversations, by agents
    load_s: float  # while people wrote and faults were injected
    recovery_s: float  # from the last fault until nothing was missing anywhere


def run(options: Options) -> int:
    """Do it, print it, and return the exit code: 0 when it ended as it should."""
    began = time.monotonic()
    product = Product(
        postgres=options.database == "postgresql",
        broken=options.broken,
        web_processes=options.web_processes,
    )
    print(f"Fault matrix: seed {options.seed}, {options.database}, {product.directory}")
    try:
        product.start()
        print(f"  ready after {time.monotonic() - began:.0f} s", flush=True)
        done = asyncio.run(_matrix(product, options))
    finally:
        product.stop(keep=options.keep)
    _print(done, time.monotonic() - began)
    if options.broken:
        found = bool(getattr(done.verdict, BROKEN[options.broken]))
        print(f"The broken build ({options.broken}) was {'' if found else 'NOT '}found out.")
        return 0 if found else 1
    print("Nothing lost, nothing doubled." if done.verdict.is_clean else "FAILED")
    return 0 if done.verdict.is_clean else 1


async def _matrix(product: Product, options: Options) -> Run:
    lots = random.Random(options.seed)
    proxy = Proxy(product.port, random.Random(lots.random()))
    await proxy.start()
    customers = _customers(proxy.port, options, lots)
    stop = asyncio.Event()
    if not (options.browsers and browsers.CHROMIUM):
        return await _hurt(product, proxy, customers, [], options, lots, stop)
    async with browsers.chromium() as chromium:
        visitors = [
            browsers.Visitor(
                f"x{chr(ord('a') + number)}",
                product,
                proxy.port,
                random.Random(lots.random()),
                messages=MESSAGES_OF_A_BROWSER,
                tabs=2 if number == 0 else 1,
            )
            for number in range(options.browsers)
        ]
        await asyncio.gather(*(visitor.open(chromium) for visitor in visitors))
        return await _hurt(product, proxy, customers, visitors, options, lots, stop)


def _customers(port: int, options: Options, lots: random.Random) -> list[Customer]:
    share, rest = divmod(options.messages, options.clients)
    made: list[Customer] = []
    for number in range(options.clients):
        shares = made and number % WITH_TWO_DEVICES == 1
        person = made[-1].person if shares else Person(number)
        made.append(
            Customer(
                person,
                port,
                random.Random(lots.random()),
                messages=share + (number < rest),
                every_s=options.every,
            )
        )
    return made


async def _hurt(
    product: Product,
    proxy: Proxy,
    customers: list[Customer],
    visitors: list[browsers.Visitor],
    options: Options,
    lots: random.Random,
    stop: asyncio.Event,
) -> Run:
    began = time.monotonic()

    async def jolt(seconds: float) -> None:
        for visitor in visitors:
            await visitor.move_clock(seconds)

    agents = [Agent(name, proxy.port, random.Random(lots.random())) for name in AGENTS]
    running = [asyncio.create_task(one.run(stop)) for one in (*customers, *agents)]
    living = [asyncio.create_task(visitor.live()) for visitor in visitors]
    injector = Injector(
        product,
        proxy,
        customers,
        jolt,
        random.Random(lots.random()),
        every_s=options.faults_every,
    )
    injecting = asyncio.create_task(injector.run())

    def all_typed() -> bool:
        return all(customer.all_typed for customer in customers) and all(
            task.done() for task in living
        )

    told = time.monotonic()
    while not all_typed():
        await asyncio.sleep(0.2)
        if injecting.done() or not product.is_running:
            raise AssertionError(f"it ended: {injecting}\n{product.log.read_text()[-3000:]}")
        if time.monotonic() - told > 30:
            told = time.monotonic()
            typed = sum(len(customer.typed) for customer in customers)
            print(f"  {typed} typed after {told - began:.0f} s", flush=True)
    injecting.cancel()
    await asyncio.gather(injecting, return_exceptions=True)
    await asyncio.gather(*living)
    for agent in agents:
        agent.is_stopping = True
    load_s = time.monotonic() - began

    recovering = time.monotonic()
    recovery_s = BROKEN_RECOVERY_S if options.broken else RECOVERY_S
    while time.monotonic() - recovering < recovery_s:
        verdict = await _judge(product, customers, agents, visitors)
        if verdict is not None and (verdict.is_clean or (options.broken and verdict.doubled)):
            break
        await asyncio.sleep(2)
    else:
        verdict = await _judge(product, customers, agents, visitors, whatever=True)
    assert verdict is not None
    stop.set()
    await asyncio.gather(*running, return_exceptions=True)
    await proxy.stop()
    return Run(
        verdict,
        proxy.faults + injector.faults,
        reconnects=sum(customer.reconnects for customer in customers),
        over_rest=sum(customer.over_rest for customer in customers),
        reloads=sum(customer.reloads for customer in customers)
        + sum(visitor.reloads for visitor in visitors),
        taken=sum(agent.taken for agent in agents),
        load_s=load_s,
        recovery_s=time.monotonic() - recovering,
    )


async def _judge(
    product: Product,
    customers: list[Customer],
    agents: list[Agent],
    visitors: list[browsers.Visitor],
    *,
    whatever: bool = False,
) -> Verdict | None:
    """Judge; None while somebody has still something to send, unless it is judged `whatever`."""
    if not whatever and not all(one.is_done for one in (*customers, *agents)):
        return None
    rows = [Row.of(columns) for columns in await asyncio.to_thread(product.rows, QUERY)]
    conversations = by_conversation(rows)
    where = {row.client_id: row.conversation for row in rows}
    verdict = judge(rows, [one.typed for one in (*customers, *agents)])
    for number, customer in enumerate(customers):
        name = f"client {number}"
        verdict.refused += [f"{name}: {code} {one}" for one, code in customer.screen.refused]
        if customer.screen.outbox:
            verdict.screens.append(f"{name}: still to be sent {list(customer.screen.outbox)}")
        shown = {
            conversation: [lines[seq] for seq in sorted(lines)]
            for conversation, lines in customer.screen.lines.items()
        }
        verdict.screens += judge_screen(name, shown, conversations)
        mine = {where[client_id] for client_id in customer.typed if client_id in where}
        if unseen := mine - set(shown):
            verdict.screens.append(f"{name}: does not show {unseen}")
    for agent in agents:
        shown = {
            name: [lines[seq] for seq in sorted(lines)]
            for name, lines in agent.screen.lines.items()
        }
        verdict.screens += judge_screen(agent.username, shown, conversations)
    texts = Counter(row.text for row in rows if row.sender == "CUSTOMER")
    for visitor in visitors:
        verdict.messages += len(visitor.texts)
        verdict.lost += [text for text in visitor.texts if not texts[text]]
        verdict.doubled += [text for text in visitor.texts if texts[text] > 1]
        if not await visitor.is_settled():
            verdict.screens.append(f"browser {visitor.name}: not all sent")
        verdict.screens += await visitor.judge(rows)
    return verdict


def _print(done: Run, seconds: float) -> None:
    verdict = done.verdict
    print(f"\n{verdict.messages} messages, {verdict.answers} answers of the bot")
    print(f"{done.faults.total()} faults:")
    for name, times in sorted(done.faults.items()):
        print(f"  {name:<24} {times:>6}")
    print(
        f"{done.taken} conversations taken over, {done.reconnects} reconnects, {done.reloads} reloads, {done.over_rest} over REST;"
        f" load {done.load_s:.0f} s, recovery {done.recovery_s:.0f} s, all {seconds:.0f} s"
    )
    for name in ("lost", "doubled", "disordered", "unanswered", "screens", "refused"):
        found = getattr(verdict, name)
        print(f"{name:<11}{len(found):>6}")
        for one in found[:10]:
            print(f"    {one}")
