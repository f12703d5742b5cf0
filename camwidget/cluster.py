"""Tasks on a Dask cluster: who keeps it busy, and loses nothing when a worker ends.

Only what is on its way is with the cluster. If a worker ends, Dask gives what it had to another one; what has come back
is kept by whoever asked, and is not asked for again. Dask is an extra, so nothing here imports it before it is used.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

AHEAD = 2
"""Tasks sent for each thread of the cluster: one to work on, and the next."""


def over(
    client: Any,
    do: Callable[..., Any],
    tasks: Iterable[tuple[Any, tuple[Any, ...]]],
    *,
    shared: Any = None,
    retries: int = 1,
) -> Iterator[tuple[Any, Any, BaseException | None]]:
    """Do tasks on a cluster; yield their names, results and errors as they come, in any order, each once.

    What is still on its way is given up when the caller stops.

    Args:
        client: a `distributed.Client`.
        do: is called with the arguments of a task, on a worker.
        tasks: a name of any kind, and arguments; read only as far as there are workers for.
        shared: what all tasks need, sent to a worker once; `do` gets a copy of its own as its first argument. None for
            nothing.
        retries: how often a task is tried again that raised. One that a dead worker had is, in any case.
    """
    from distributed import as_completed  # noqa: PLC0415 (see above)
    from distributed.protocol.pickle import dumps  # noqa: PLC0415

    names: dict[str, Any] = {}
    first: tuple[Any, ...] = (do,)
    if shared is not None:
        # As bytes, because workers pass it on to one another while it is in use. A task of its own, so that Dask makes
        # it again where the only worker that had it ends.
        first = (_with_shared, do, client.submit(bytes, dumps(shared), pure=False))
    done, waiting = as_completed(loop=client.loop), iter(tasks)  # without it Dask asks for a default client

    def send() -> None:
        found = next(waiting, None)
        if found is not None:
            name, arguments = found
            future = client.submit(*first, *arguments, pure=False, retries=retries)
            names[future.key] = name
            done.add(future)

    try:
        for _ in range(AHEAD * max(sum(client.nthreads().values()), 1)):
            send()
        for future in done:
            name, error = names.pop(future.key), future.exception()
            result = None if error is not None else future.result()
            future.release()
            yield name, result, error
            send()
    finally:
        client.cancel(list(done.futures), force=True)


def _with_shared(do: Callable[..., Any], packed: bytes, *arguments: Any) -> Any:
    from distributed.protocol.pickle import loads  # noqa: PLC0415 (as above)

    return do(loads(packed), *arguments)
