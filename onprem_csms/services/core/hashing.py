"""Where slow hashes are computed: two threads at most, so that a crowd at the sign-in can't use up memory."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# 64 MiB each (see domain/secrets.py).
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="hashing")


async def in_thread(fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one of ``domain.secrets`` beside the loop; raises what it raises."""
    return await asyncio.get_running_loop().run_in_executor(_threads, lambda: fn(*args, **kwargs))
