"""Tasks on a Dask cluster come back by their names, each once, also those that raise."""

from collections.abc import Iterator
from typing import Any

import pytest

from camwidget.cluster import over

distributed = pytest.importorskip("distributed")
TRIES: list[int] = []


def halved(shared: list[int], number: int) -> int:
    TRIES.append(number)
    if number % 2 or (number == 4 and TRIES.count(4) == 1):
        raise OSError(f"{number} cannot be halved")
    shared.append(number)  # a copy of its own
    return len(shared) * number // 2


@pytest.fixture
def client() -> Iterator[Any]:
    """Of workers that live in this process."""
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    )
    with cluster, distributed.Client(cluster, set_as_default=False) as connected:
        yield connected


def test_each_task_comes_back_once_and_one_that_raised_is_tried_once_more(client: Any) -> None:
    TRIES.clear()

    found = sorted(over(client, halved, ((f"no. {number}", (number,)) for number in range(7)), shared=[7]))

    assert [name for name, _, _ in found] == [f"no. {number}" for number in range(7)]
    assert [result for _, result, _ in found] == [0, None, 2, None, 4, None, 6]
    assert [type(error) for _, _, error in found] == [type(None), OSError] * 3 + [type(None)]
    assert sorted(TRIES) == [0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6]
