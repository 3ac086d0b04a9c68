"""Hurts a product at random: the seed decides what, the product how it takes it."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from tests.faults.customer import Customer
from tests.faults.product import Product
from tests.faults.proxy import Proxy

# How often one is drawn, against the others.
WEIGHTS = {
    "web killed": 6,
    "web replaced": 2,  # SIGTERM: it says 1012 and is started again
    "web frozen": 2,
    "valkey killed": 3,
    "valkey frozen": 2,
    "worker killed": 3,
    "database restarted": 2,
    "database crashed": 2,
    "sockets half-opened": 5,
    "all links cut": 2,
    "product's clock moved": 3,
    "clients' clocks moved": 3,
}
FIRST = "web killed"


class Injector:
    """Injects faults until it is told to stop, and then puts everything right.

    Args:
        jolt: Moves the browsers' clocks by so many seconds.
        every_s: From one fault to the next, on average.
    """

    def __init__(
        self,
        product: Product,
        proxy: Proxy,
        customers: Sequence[Customer],
        jolt: Callable[[float], Awaitable[None]],
        lots: random.Random,
        *,
        every_s: float,
    ) -> None:
        self._product, self._proxy, self._customers = product, proxy, customers
        self._jolt, self._lots, self._every_s = jolt, lots, every_s
        self.faults: Counter[str] = Counter()
        self._frozen: set[int] = set()

    async def run(self) -> None:
        """Go on until cancelled."""
        self._proxy.is_faulty = True
        names, weights = list(WEIGHTS), list(WEIGHTS.values())
        drawn = FIRST  # however short the run is
        try:
            while True:
                await asyncio.sleep(self._every_s * self._lots.uniform(0.4, 1.6))
                name = drawn or self._lots.choices(names, weights)[0]
                drawn = ""
                lot = self._lots.random()
                print(f"  fault: {name}", flush=True)
                if await self._inject(name, lot):
                    self.faults[name] += 1
        finally:
            self._put_right()

    def _put_right(self) -> None:
        self._proxy.is_faulty = False
        for pid in self._frozen:
            self._product.thaw(pid)
        self._product.move_clock(0)

    async def _inject(self, name: str, lot: float) -> bool:
        match name.split():
            case [part, "killed"]:
                return self._product.kill(part, signal.SIGKILL, lot=lot)
            case ["web", "replaced"]:
                return self._product.kill("web", signal.SIGTERM, lot=lot)
            case [part, "frozen"]:
                return await self._freeze(part, lot)
            case ["database", how]:
                return await self._restart_database(how)
            case ["sockets", _]:
                return self._proxy.half_open(1 + int(lot * 5)) > 0
            case ["all", *_]:
                return self._proxy.cut_all() > 0
            case ["product's", *_]:
                self._product.move_clock((lot - 0.5) * 7200)
            case ["clients'", *_]:
                for customer in self._customers:
                    customer.wall_clock_is_off_s = (self._lots.random() - 0.5) * 7200
                await self._jolt((lot - 0.5) * 7200)
        return True

    async def _freeze(self, part: str, lot: float) -> bool:
        pid = self._product.freeze(part, lot=lot)
        if pid is None:
            return False
        self._frozen.add(pid)
        await asyncio.sleep(1 + 4 * lot)
        self._product.thaw(pid)
        self._frozen.discard(pid)
        return True

    async def _restart_database(self, how: str) -> bool:
        if self._product.postgres is None:
            return False
        number = signal.SIGINT if how == "restarted" else signal.SIGQUIT
        restart = asyncio.to_thread(
            self._product.restart_database, number, away_s=self._lots.uniform(0, 2)
        )
        await asyncio.shield(restart)
        return True
