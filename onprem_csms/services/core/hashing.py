"""Where slow hashes are computed: a thread and a short queue each for drivers and operators.

A crowd of guessers at the drivers' sign-in uses up neither the memory nor the patience of an operator.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, ParamSpec, TypeVar

from onprem_csms.errors import TooSlow

P = ParamSpec("P")
R = TypeVar("R")
Queue = Literal["driver", "operator"]

# A hash takes about 0.2 s and 64 MiB (see domain/secrets.py): whoever comes last waits five seconds.
MOST_WAITING = 25
_threads = {name: ThreadPoolExecutor(1, thread_name_prefix=f"hash-{name}") for name in ("driver", "operator")}
_waiting: Counter[str] = Counter()


async def in_thread(queue: Queue, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one of ``domain.secrets`` beside the loop; raises what it raises, TooSlow when too many wait."""
    if _waiting[queue] >= MOST_WAITING:
        message = "Too many sign in at once. Try again in a moment."
        raise TooSlow(message)
    _waiting[queue] += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads[queue], lambda: fn(*args, **kwargs))
    finally:
        _waiting[queue] -= 1
