"""A pass on a Dask cluster gives the rows of a plain loop, also when a worker process is killed in the middle.

Only what needs processes has them, forked from one that has imported PyTorch. All else runs on workers of this process.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch.utils.data import DataLoader

from camwidget.errors import ClassError, DataError
from camwidget.mistakes import loaders
from camwidget.mistakes.find import find_mistakes
from camwidget.mistakes.found import Found
from camwidget.mistakes.loaders import source_of
from camwidget.mistakes.looking import Pass
from camwidget.mistakes.source import EndedError
from camwidget.mistakes.spread import BATCHES, steps_there
from tests.mistakes.small import Stream, network, picture_folder, tensors

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.slow
NAMES = ("ant", "bee", "cow")


def cluster_in(folder: Path, *, processes: bool) -> Any:
    return distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=processes,
        protocol="tcp",  # what is sent is packed, also where workers live in this process
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=str(folder),
    )


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Of workers that live in this process."""
    cluster = cluster_in(tmp_path_factory.mktemp("cluster"), processes=False)
    with cluster, distributed.Client(cluster, set_as_default=False) as connected:
        yield connected


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = picture_folder(tmp_path_factory.mktemp("pictures"), NAMES, count=14)
    (place / "bee" / "bee_3.png").write_bytes(b"no picture")
    return place


def same(one: Found, other: Found) -> None:
    assert one.table.equals(other.table)
    assert np.array_equal(one.maps, other.maps, equal_nan=True)
    about = ("class_names", "method", "layer", "size", "root", "total", "complete")
    assert [getattr(one, name) for name in about] == [getattr(other, name) for name in about]


def test_a_folder_gives_the_same_rows_there_and_here(client: Any, folder: Path) -> None:
    asked: dict[str, Any] = {"class_names": NAMES, "batch_size": 2, "progress": False}
    here = find_mistakes(network(), folder, **asked)
    assert len(here) == 42 > 2 * BATCHES
    assert here.table["path"][here.table["problem"] != ""].tolist() == [str(Path("bee", "bee_3.png"))]

    model = here.model
    there = find_mistakes(model, folder, client=client, **asked)

    same(there, here)
    assert np.asarray(there.picture(5)).tolist() == np.asarray(here.picture(5)).tolist()


@pytest.fixture
def forked() -> Iterator[None]:
    """Worker processes are forked from one that has the imports: three of them would take half a minute otherwise."""
    context = multiprocessing.get_context("forkserver")
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        distributed.utils.get_mp_context()  # says once what is preloaded; the next line comes after it, and counts
        context.set_forkserver_preload(["distributed", "camwidget.mistakes.find", "tests.mistakes.small"])
        yield


@pytest.mark.usefixtures("forked")
def test_a_worker_that_is_killed_in_the_middle_loses_no_row(tmp_path: Path, folder: Path) -> None:
    with cluster_in(tmp_path, processes=True) as cluster, distributed.Client(cluster) as client:
        kill_one(client, folder)


def kill_one(client: Any, folder: Path) -> None:
    model = network()
    asked: dict[str, Any] = {"class_names": NAMES, "batch_size": 1, "progress": False}
    here = find_mistakes(model, folder, **asked)
    source = source_of(model, folder, class_names=NAMES, batch_size=1, workers=None)
    wanted = Pass(model=model, source=source, method="grad_cam", asked={"class_names": NAMES}, own=NAMES)
    before = set(client.run(os.getpid).values())
    indices: list[int] = []
    killed = None

    for step in steps_there(wanted, client):
        indices += [*step.batch.indices, *step.batch.problems]
        if killed is None:
            killed = min(before)
            os.kill(killed, signal.SIGKILL)

    assert indices == list(here.table.index)
    same(find_mistakes(model, folder, client=client, **asked), here)
    assert killed not in client.run(os.getpid).values()


def test_what_was_found_stays_when_the_scheduler_goes_away(tmp_path: Path, folder: Path) -> None:
    with cluster_in(tmp_path, processes=False) as cluster, distributed.Client(cluster, timeout="2s") as client:
        model = network()
        source = source_of(model, folder, class_names=NAMES, batch_size=1, workers=None)
        steps = steps_there(Pass(model=model, source=source, method="grad_cam", asked={}, own=NAMES), client)
        first = next(steps)
        cluster.close()

        with pytest.raises(EndedError, match=r"cannot be reached any more.*make a new client"):
            list(steps)

    assert first.batch.indices == [0]


def test_files_that_workers_do_not_see_are_told(client: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network()
    gone, opened, here = str(folder / "cow" / "cow_2.png"), loaders.open_image, threading.current_thread()

    def open_there(path: str) -> Any:
        return opened("not there" if path == gone and threading.current_thread() is not here else path)

    monkeypatch.setattr(loaders, "open_image", open_there)

    with pytest.warns(UserWarning, match=r"could not read pictures that can be read here, such as 'cow/cow_2.png'"):
        found = find_mistakes(model, folder, class_names=NAMES, client=client, progress=False)

    assert found.table["path"][found.table["problem"] != ""].tolist() == ["bee/bee_3.png", "cow/cow_2.png"]


def test_a_label_that_is_no_class_is_refused_as_here(client: Any) -> None:
    data = DataLoader(tensors(6, classes=4), batch_size=2)

    with pytest.raises(ClassError, match=r"Picture \d+ has the label 3"):
        find_mistakes(network(), data, client=client, progress=False)


def test_what_cannot_be_parted_and_what_is_no_client_is_refused(client: Any) -> None:
    with pytest.raises(DataError, match="The data is read in one stream"):
        find_mistakes(network(), DataLoader(Stream(tensors(4)), batch_size=2), client=client, progress=False)
    with pytest.raises(DataError, match=r"client is a str.*Client\(address\)"):
        find_mistakes(network(), DataLoader(tensors(4)), client="tcp://127.0.0.1:8786", progress=False)


def test_a_pass_that_is_given_up_leaves_nothing_with_the_workers(client: Any, folder: Path) -> None:
    model = network()
    source = source_of(model, folder, class_names=NAMES, batch_size=1, workers=None)
    steps = steps_there(Pass(model=model, source=source, method="grad_cam", asked={}, own=NAMES), client)
    next(steps)

    steps.close()

    gone = threading.Event()
    for _ in range(600):
        if not client.run_on_scheduler(lambda dask_scheduler: [k for k in dask_scheduler.tasks if "_part" in str(k)]):
            gone.set()
            break
        gone.wait(0.1)
    assert gone.is_set()
