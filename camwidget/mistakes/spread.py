"""A pass in parts on a Dask cluster. The parts come back in any order, and are told in that of the data."""

from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from camwidget.cluster import over
from camwidget.errors import CamwidgetError, DataError, a_kind, clipped, three_parts
from camwidget.mistakes.looking import Pass, Step
from camwidget.mistakes.source import EndedError

BATCHES = 4
"""So many batches are one task, whatever the number of workers: what is run together is the same everywhere."""


def steps_there(wanted: Pass, client: Any) -> Generator[Step, None, None]:
    """Yield what came of each batch, in the order of the data, from the workers of a cluster.

    Args:
        wanted: the pass. Its model and its source are sent to each worker once.
        client: a `distributed.Client`.

    Raises:
        CamwidgetError: what the pass would raise here as well.
        DataError: the client is none, the data is one stream, or a part of it ends every worker that is given it.
        EndedError: the scheduler is gone.
    """
    if not all(hasattr(client, name) for name in ("submit", "nthreads", "cancel")):
        given = f"client is {a_kind(client)}"
        advice = "from dask.distributed import Client; client=Client(address)"
        raise DataError(three_parts(given, "It is a dask.distributed.Client", advice))
    if wanted.source.stream is not None:
        given = "The data is read in one stream"
        raise DataError(three_parts(given, "Only data with places has parts", "Use a data set with an index, or files"))
    waiting: dict[int, list[Step]] = {}
    following = 0
    try:
        for number, steps, error in over(client, _part, _tasks(wanted), shared=wanted):
            if error is not None:
                raise error if isinstance(error, CamwidgetError) else DataError(_failed(number, error)) from error
            waiting[number] = steps
            while following in waiting:
                yield from waiting.pop(following)
                following += 1
    except CamwidgetError:
        raise
    except Exception as error:  # of Dask itself, which raises what it likes: what a task raised was told above
        given = f"The cluster cannot be reached any more ({type(error).__name__}: {error})"
        allowed = "Its scheduler runs until all pictures were looked at"
        raise EndedError(
            three_parts(clipped(given, longest=300), allowed, "Start it again, and make a new client")
        ) from error


def _tasks(wanted: Pass) -> Iterator[tuple[int, tuple[list[list[int]], bool]]]:
    batches: Iterable[list[int]] = iter(wanted.source.order())
    number = 0
    while batch := list(islice(batches, BATCHES)):
        yield number, (batch, number == 0)
        number += 1


def _part(wanted: Pass, batches: list[list[int]], first: bool) -> list[Step]:
    return wanted.part(batches, first=first)


def _failed(number: int, error: BaseException) -> str:
    given = f"Part {number + 1} of the data failed on the workers ({type(error).__name__}: {error})"
    allowed = "They need the same packages, and the files at the same paths"
    return three_parts(given, allowed, "Run that part here, without client=, to see what it is")
