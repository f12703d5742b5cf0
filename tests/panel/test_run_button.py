"""Score-CAM in the panel: nothing is run before Run is pressed, the cost is said, and Stop leaves all as it was."""

import copy
import threading
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from camwidget.errors import MapError
from camwidget.hooks.layers import Layer
from camwidget.maps.score_cam import Cost, Progress
from camwidget.panel.picture import CamPanel
from camwidget.panel.run_button import Halted, RunButton, estimated_cost, joined, not_run, twin_of
from camwidget.pictures.explain import explain, explain_methods
from tests.panel.running import panel_of, run_and_wait
from tests.patience import HANGING_S as WAIT_S
from tests.toys import PooledLinear, Restless, picture, state


class Counting(PooledLinear):
    """Remembers how many pictures it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.seen += len(inputs)
        return super().forward(inputs)


def test_choosing_it_runs_nothing_and_says_what_it_would_cost() -> None:
    model = Counting().double()
    panel = panel_of(model)
    seen = model.seen

    panel.method = "score_cam"

    assert model.seen == seen
    assert panel.result.cams == {}
    entry = panel.view.manifest["maps"][1][0][-1]
    assert entry["reason"].startswith("Score-CAM was not run here yet. It takes 5 passes of the network, about")
    assert panel.children[-1] is panel.run_button
    assert panel.run_button.run.description.startswith("Run Score-CAM at layer body.4: 5 passes of the network, about")


def test_a_panel_without_it_has_no_run_button() -> None:
    panel = CamPanel(PooledLinear().double(), picture())

    assert panel.run_button not in panel.children


def test_run_gives_the_map_of_the_layer_shown_and_keeps_those_run_before() -> None:
    model, image = PooledLinear().double(), picture()
    panel = panel_of(model, image)
    panel.method = "score_cam"

    run_and_wait(panel)
    panel.layer = "body.1"
    run_and_wait(panel)

    expected = explain(model, image, method="score_cam", layers=["body.1", "body.4"])
    assert list(panel.result.cams) == ["body.4", "body.1"]
    assert [layer.name for layer in panel.result.layers] == ["body.1", "body.4"]
    for name in ("body.1", "body.4"):
        for index in expected.target_classes:
            torch.testing.assert_close(panel.result.cam(name, index), expected.cam(name, index))
    assert [entry["reason"] for entry in panel.view.manifest["maps"][1][0]] == ["", ""]
    assert not panel.run_button.run.disabled
    assert panel.run_button.stop.disabled
    assert panel.run_button.layout.display == "none"  # there is nothing left to run


def test_stop_keeps_what_was_shown_and_leaves_the_model_as_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camwidget.maps.score_cam.TOGETHER", 1)
    model = PooledLinear().double().train()
    panel = panel_of(model)
    panel.method, before, maps = "score_cam", state(model), panel.view.maps
    begun, stopped = threading.Event(), threading.Event()

    def wait_for_stop(_: object) -> None:  # in the thread of the run, after its first pass
        begun.set()
        stopped.wait(WAIT_S)

    panel.run_button.progress.observe(wait_for_stop, names="value")
    panel.run_button.run.click()
    begun.wait(WAIT_S)
    busy = panel.run_button.busy
    panel.run_button.stop.click()
    stopped.set()
    panel.run_button.halt(wait=True)

    assert busy
    assert panel.view.message.startswith("Stopped after")
    assert "of 5 passes. What was shown stays." in panel.view.message
    assert panel.view.maps == maps
    assert state(model) == before


def test_a_new_picture_stops_the_run_and_forgets_its_maps() -> None:
    model = PooledLinear().double()
    panel = panel_of(model)
    panel.method = "score_cam"
    run_and_wait(panel)

    panel.image = picture(height=22, width=16)

    assert not panel.run_button.busy
    assert panel.results["score_cam"].cams == {}
    assert panel.method == "score_cam"


def test_a_button_that_offers_nothing_is_hidden_and_has_a_name_all_the_same() -> None:
    button = RunButton(lambda: None)
    shown = (button.layout.display, button.run.layout.display, button.run.description)
    button.offer("it")
    offered = (button.layout.display, button.run.layout.display, button.run.description)
    button.offer("")

    assert shown == ("none", "none", "Run")
    assert offered == (None, None, "Run it")
    assert (button.layout.display, button.run.layout.display, button.run.description) == shown


def test_run_where_there_is_nothing_to_run_says_so() -> None:
    panel = panel_of(PooledLinear().double())

    panel.run_button.run.click()

    assert panel.view.message.startswith("Choose Score-CAM and a layer where it was not run yet")
    assert not panel.run_button.busy


def test_it_alone_can_be_offered() -> None:
    panel = CamPanel(PooledLinear().double(), picture(), methods=["score_cam"])

    assert list(panel.results) == ["score_cam"]
    run_and_wait(panel)
    assert list(panel.result.cams) == [panel.layer]


def test_a_run_that_fails_says_why() -> None:
    told: list[str] = []
    run = RunButton(lambda: None)

    def work(_: Progress) -> None:
        raise MapError("no such map")

    run.begin(work, told.append)
    run.halt(wait=True)

    assert told == ["no such map"]
    assert run.stop.disabled


def test_only_one_thing_runs_at_a_time() -> None:
    started, release = threading.Event(), threading.Event()
    runs: list[int] = []
    run = RunButton(lambda: None)

    def work(_: Progress) -> None:
        runs.append(1)
        started.set()
        release.wait(WAIT_S)

    run.begin(work, lambda _: None)
    started.wait(WAIT_S)
    run.begin(work, lambda _: None)
    release.set()
    run.halt(wait=True)

    assert runs == [1]


def test_progress_after_stop_ends_the_work() -> None:
    run = RunButton(lambda: None)
    run.halt()

    with pytest.raises(Halted):
        run._note(16, 40)

    assert run.progress.description == "40%"


HELD, RELEASE = threading.Event(), threading.Event()


class Held(PooledLinear):
    """Stops in every pass of the background run until it is let go; has dropout."""

    def forward(self, inputs: Tensor) -> Tensor:
        if threading.current_thread().name == "camwidget-run":
            HELD.set()
            RELEASE.wait(WAIT_S)
        return self.head(nn.functional.dropout(self.pool(self.body(inputs)).flatten(1), training=self.training))


def trained(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    """The gradients and buffers after one step of training, whose dropout draws random numbers."""
    model.zero_grad()
    model(inputs).square().sum().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 0.1 * parameter.grad
    return [*(each.grad.clone() for each in model.parameters()), *(each.clone() for each in model.buffers())]


def test_while_it_runs_the_notebook_explains_trains_and_draws_as_if_it_did_not() -> None:
    HELD.clear()
    RELEASE.clear()
    model, image, batch = Held().double().train(), picture(), picture(batch=4)
    twin = copy.deepcopy(model)
    expected = explain(model, image, method="score_cam", layers=["body.4"])
    panel = panel_of(model, image)
    panel.method = "score_cam"
    torch.manual_seed(4)
    right = explain(twin, image), trained(twin, batch), torch.rand(3), explain(twin, image)

    torch.manual_seed(4)
    panel.run_button.run.click()
    assert HELD.wait(WAIT_S)  # it is in the middle of a pass
    found = explain(model, image), trained(model, batch), torch.rand(3), explain(model, image)
    model.eval()
    drawn = torch.get_rng_state()
    RELEASE.set()
    thread = panel.run_button._thread
    assert thread is not None
    thread.join(WAIT_S)

    for place in (0, 3):
        assert all(torch.equal(found[place].cams[name], cam) for name, cam in right[place].cams.items())
    assert all(torch.equal(one, other) for one, other in zip(found[1], right[1], strict=True))
    assert torch.equal(found[2], right[2])
    assert torch.equal(torch.get_rng_state(), drawn)
    assert not any(module.training for module in model.modules())
    assert torch.equal(panel.result.cam("body.4"), expected.cam("body.4"))  # of the weights before the training


def test_a_network_that_draws_random_numbers_gives_them_back_also_beside_the_notebook() -> None:
    model = Restless().double()
    panel = CamPanel(model, picture(), methods=("grad_cam", "score_cam"))
    panel.method = "score_cam"
    before = state(model)

    run_and_wait(panel)

    assert list(panel.result.cams) == ["conv"]
    assert state(model) == before
    assert twin_of(model, picture()).draws
    assert not twin_of(PooledLinear().double(), picture()).draws


def test_a_network_that_cannot_be_copied_is_not_run_beside_the_notebook() -> None:
    model = PooledLinear().double()
    model.endless = (number for number in range(3))
    panel = panel_of(model)
    panel.method = "score_cam"

    panel.run_button.run.click()

    assert "cannot be copied" in panel.view.message
    assert "Run it in a cell" in panel.view.message
    assert not panel.run_button.busy


def test_what_was_run_is_joined_to_what_there_was() -> None:
    found = explain_methods(PooledLinear().double(), picture(), methods=("grad_cam",))["grad_cam"]
    none = not_run(found, "score_cam", cost=Cost(1, 0.5))
    now = explain(PooledLinear().double(), picture(), method="score_cam", layers=["body.1"])

    both = joined(none, now, offered=found)

    assert "about 2 s" in none.refusals["body.1"]  # four channels
    assert list(both.cams) == ["body.1"]
    assert list(both.refusals) == ["body.4"]
    assert 'method="score_cam"' in none.code


def test_a_pass_is_timed_and_the_model_left_as_found() -> None:
    model, image = PooledLinear().double().train(), picture()
    before = state(model)

    assert 0 < estimated_cost(model, image, layers=[Layer("body.1", 1, 1, 2, 2)]).seconds < WAIT_S
    assert state(model) == before


def test_what_is_run_later_is_run_on_the_picture_as_it_was_made_ready() -> None:
    model, photo = PooledLinear().double(), Image.effect_noise((40, 30), 90).convert("RGB")
    asked: dict[str, Any] = {"mean": 0.5, "std": 0.25, "size": (24, 32)}
    panel = CamPanel(model, photo, methods=("grad_cam", "score_cam"), **asked)
    panel.method = "score_cam"

    run_and_wait(panel)

    expected = explain(model, photo, method="score_cam", layers=["body.4"], target_classes=[0], **asked)
    torch.testing.assert_close(panel.result.cam("body.4", 0), expected.cam("body.4", 0))
