"""Classes that are worked out before somebody chooses them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from camwidget.panel.ahead import MOST, Ahead
from camwidget.panel.picture import CamPanel


def looked_at(ahead: Ahead, classes: Sequence[int]) -> None:
    """Look at classes in an event loop, until nothing is left to do."""

    async def idle() -> None:
        ahead.look_at(classes)
        for _ in range(4 * len(classes)):
            await asyncio.sleep(0.001)

    asyncio.run(idle())


def test_what_was_looked_at_is_there_once_and_only_for_what_is_explained_now() -> None:
    subject = [object()]
    ahead = Ahead(lambda index: {"of": index}, lambda: subject[0])

    looked_at(ahead, [3, 5])

    assert ahead.take(5) == {"of": 5}
    assert ahead.take(5) is None
    subject[0] = object()
    assert ahead.take(3) is None


def test_so_many_are_kept_and_no_more() -> None:
    subject, made = object(), []
    ahead = Ahead(lambda index: made.append(index) or {"of": index}, lambda: subject)

    looked_at(ahead, range(MOST + 3))
    looked_at(ahead, [MOST])

    assert made == list(range(MOST + 3))
    assert [index for index in made if ahead.take(index)] == list(range(3, MOST + 3))


def test_one_that_fails_is_left_for_who_chooses_it_and_without_a_loop_nothing_happens() -> None:
    def fails(_: int) -> dict[str, Any]:
        raise RuntimeError("out of memory")

    ahead = Ahead(fails, lambda: None)

    looked_at(ahead, [1, 2])
    assert ahead.take(1) is None
    ahead.look_at([1])
    assert ahead.take(1) is None


def test_a_class_that_was_looked_at_runs_no_network_when_it_is_chosen_and_has_the_same_maps() -> None:
    runs: list[int] = []
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 13))
    net.register_forward_hook(lambda *_: runs.append(1))
    picture = torch.randn(1, 3, 20, 26)
    panel = CamPanel(net, picture)
    missing = [index for index in range(13) if index not in panel.target_classes]

    looked_at(panel._ahead, missing[:2])
    before = len(runs)
    panel.target_class = missing[1]

    assert len(runs) == before
    panel.target_class = missing[2]
    assert len(runs) > before
    whole = CamPanel(net, picture, target_classes=panel.target_classes)
    assert panel.view.manifest["classes"] == whole.view.manifest["classes"]
    for method, result in whole.results.items():
        for layer, cams in result.cams.items():
            torch.testing.assert_close(panel.results[method].cams[layer], cams)
        assert panel.results[method].call == result.call
