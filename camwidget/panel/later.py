"""What a panel does once somebody has paused."""

import asyncio
from collections.abc import Callable
from typing import Any


def after_pause(
    asked: asyncio.TimerHandle | None, pause_s: float, do: Callable[..., Any], *arguments: Any
) -> asyncio.TimerHandle | None:
    """Do something when nobody has asked for it again during a pause; without an event loop at once.

    Args:
        asked: what was returned the last time, and is given up; None for nothing.
        pause_s: seconds without another call.
        do: is called with the arguments.
        *arguments: of `do`.

    Returns:
        What to hand over the next time.
    """
    if asked is not None:
        asked.cancel()
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # no kernel
        do(*arguments)
        return None
    return loop.call_later(pause_s, do, *arguments)
