"""A learner's own hook classes do the capturing; a wrong one is told its mistake by name, and leaves nothing behind."""

import gc
import inspect
import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import CamwidgetError, HookError
from camwidget.hooks.hook import Hook, HookBwd
from camwidget.hooks.learner_hooks import OwnHooks
from camwidget.hooks.mistakes import MISTAKES
from camwidget.hooks.restore import hooks_left_as_found
from camwidget.maps.methods import METHODS
from camwidget.panel.picture import CamPanel
from camwidget.pictures.demo import demo_image, demo_learner
from camwidget.pictures.explain import explain, explain_methods
from camwidget.pictures.result import Explanation
from tests.hooks.hook_classes import (
    WRONG,
    BeforeBackward,
    FullBackward,
    HandsOnClone,
    InHalf,
    Keeps,
    KeepsAll,
    OldBackward,
    OnTensor,
    RegistersOnEntry,
    Wrong,
    changed,
)
from tests.toys import PooledLinear, Restless, Reused, hook_count, picture, state

pytestmark = pytest.mark.filterwarnings("ignore:Using a non-full backward hook:FutureWarning")
NETWORKS = {"PooledLinear": PooledLinear, "Calm": partial(PooledLinear, inplace=False), "Reused": Reused}


def marks(model: nn.Module) -> list[Any]:
    """What every module remembers of the kind of its backward hooks."""
    return [module._is_full_backward_hook for module in model.modules()]


def largest_difference(found: dict[str, Explanation], expected: dict[str, Explanation]) -> float:
    """Over all methods, layers and classes."""
    return max(
        float((found[method].cams[name] - each).abs().max())
        for method, result in expected.items()
        for name, each in result.cams.items()
    )


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.mistake}: {wrong.case}")
def test_a_wrong_hook_is_told_its_mistake_and_the_network_is_left_as_found(wrong: Wrong) -> None:
    model, inputs = NETWORKS[wrong.network]().double().train(), picture()
    model.register_forward_hook(lambda *_: None)  # somebody else's
    before, remembered = state(model), marks(model)

    with pytest.raises(HookError) as caught:
        explain(
            model,
            inputs,
            layers=wrong.layers,
            target_classes=wrong.classes,
            hook=wrong.hook,
            hook_bwd=wrong.hook_bwd,
        )

    allowed, advice = MISTAKES[wrong.mistake]
    assert caught.value.mistake == wrong.mistake
    assert caught.match(wrong.said)
    assert str(caught.value).endswith(f"{allowed}. {advice}.")
    given = wrong.hook or wrong.hook_bwd
    if inspect.isclass(given):
        assert f"{given.__name__} on layer '" in str(caught.value)
    assert (caught.value.__cause__ is not None) == wrong.caused
    assert state(model) == before
    assert marks(model) == remembered


def test_every_mistake_is_made_by_somebody() -> None:
    assert {wrong.mistake for wrong in WRONG} | {"is an object, not a class"} == set(MISTAKES)
    assert len({(wrong.mistake, wrong.case) for wrong in WRONG}) == len(WRONG)


def test_an_object_is_told_from_a_class() -> None:
    made = inspect.unwrap(OwnHooks.__init__)  # without the tests' own check of annotations, which would come first

    with pytest.raises(HookError, match=r"^Keeps is an object, not a class.*without brackets") as caught:
        made(object.__new__(OwnHooks), Keeps(nn.Linear(1, 1)), None)

    assert caught.value.mistake == "is an object, not a class"


@pytest.mark.parametrize("hook", [None, Hook, Keeps, KeepsAll, HandsOnClone, RegistersOnEntry, partial(Keeps)])
@pytest.mark.parametrize("hook_bwd", [None, HookBwd, OldBackward, FullBackward, BeforeBackward, OnTensor])
def test_right_hooks_of_every_kind_give_the_maps_of_ours(hook: Any, hook_bwd: Any) -> None:
    model, inputs = PooledLinear(inplace=hook_bwd not in (FullBackward, BeforeBackward)).double(), picture()
    layers = ["body.0", "body.2", "body.4"]
    expected = explain_methods(model, inputs, methods=METHODS, layers=layers)
    before = state(model)

    found = explain_methods(model, inputs, methods=METHODS, layers=layers, hook=hook, hook_bwd=hook_bwd)

    assert largest_difference(found, expected) == 0
    assert list(found["cam"].readouts) == ["body.4"]
    assert state(model) == before


def test_the_maps_are_made_of_what_the_learners_class_stored() -> None:
    model, inputs = PooledLinear().double(), picture()
    expected = explain_methods(model, inputs)

    found = explain_methods(model, inputs, hook=InHalf)

    assert 0 < largest_difference(found, expected) < 1e-2


@pytest.fixture(scope="module")
def demo() -> tuple[Any, dict[str, Explanation]]:
    learn = demo_learner()
    return learn, explain_methods(learn, demo_image("cat"))


@pytest.mark.parametrize("hook_bwd", [OldBackward, FullBackward, OnTensor])
def test_the_chapters_own_classes_drive_the_demo_learner_at_its_default_layers(hook_bwd: type, demo: Any) -> None:
    learn, expected = demo
    image = demo_image("cat")
    before = state(learn.model)

    found = explain_methods(learn, image, hook=Keeps, hook_bwd=hook_bwd)

    assert len(found["grad_cam"].cams) == 9
    assert largest_difference(found, expected) < 1e-6
    assert state(learn.model) == before


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_gradient_mode_does_not_matter(mode: Any) -> None:
    model, inputs = PooledLinear().double().requires_grad_(False), picture()
    expected = explain_methods(model, inputs)

    with mode():
        found = explain_methods(model, inputs.clone(), hook=Keeps, hook_bwd=OnTensor)

    assert largest_difference(found, expected) == 0


def test_old_and_full_hooks_may_follow_each_other_because_the_mark_is_taken_back() -> None:
    model, inputs = PooledLinear(inplace=False).double(), picture()

    for hook_bwd in (OldBackward, FullBackward, OldBackward):
        explain(model, inputs, layers=["body.2"], hook_bwd=hook_bwd)

    assert set(marks(model)) == {None}


def test_a_mark_from_an_earlier_cell_is_explained() -> None:
    model = PooledLinear(inplace=False).double()
    FullBackward(model.body[2]).remove()

    with pytest.raises(HookError, match=r"mixes old and full .* even if that hook is gone.*Create the learner again"):
        explain(model, picture(), layers=["body.2"], hook_bwd=OldBackward)


def test_a_network_that_draws_random_numbers_draws_the_same_for_the_learners_hooks() -> None:
    class Noisy(PooledLinear):
        def forward(self, inputs: Tensor) -> Tensor:
            return super().forward(inputs + torch.rand_like(inputs))

    model, inputs = Noisy().double(), picture()

    result = explain(model, inputs, hook=Keeps, hook_bwd=OnTensor)

    assert list(result.cams) == ["body.1", "body.4"]
    assert list(explain(Restless().double(), inputs, hook=Keeps, hook_bwd=OnTensor).cams) == ["conv"]


def test_a_network_that_begins_in_place_can_be_run() -> None:
    model = nn.Sequential(nn.ReLU(inplace=True), PooledLinear()).double()
    inputs = picture()

    result = explain(model, inputs, layers=["1.body.4"], hook=Keeps, hook_bwd=OnTensor)

    assert torch.equal(result.cams["1.body.4"], explain(model, inputs, layers=["1.body.4"]).cams["1.body.4"])


def test_methods_without_a_gradient_ask_nothing_of_the_backward_hook() -> None:
    silent = changed(OnTensor, keep=lambda self, gradient: None)
    model, inputs = PooledLinear().double(), picture()

    assert list(explain(model, inputs, method="eigen_cam", hook=Keeps, hook_bwd=silent).cams) == ["body.1", "body.4"]
    with pytest.raises(HookError):
        explain(model, inputs, hook=Keeps, hook_bwd=silent)


def test_an_error_of_ours_inside_the_block_takes_the_hooks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    model, inputs = PooledLinear().double(), picture()
    before = state(model)
    left: list[str] = []
    hook = changed(__exit__=lambda self, *_: (left.append("exit"), self.remove())[1])

    def fails(*_: Any) -> Iterator[Any]:
        raise ArithmeticError("in the middle")

    monkeypatch.setattr("camwidget.maps.methods.channel_weight", fails)
    with pytest.raises(ArithmeticError):
        explain(model, inputs, hook=hook)

    assert left == ["exit", "exit"]
    assert state(model) == before


def test_hooks_that_were_taken_away_come_back_in_their_order() -> None:
    model, heard = nn.Sequential(nn.Conv2d(3, 2, 1)), []
    for name in ("first", "second"):
        model[0].register_forward_hook(lambda *_, name=name: heard.append(name))
    gradient = model[0].weight.grad = torch.ones_like(model[0].weight)

    with hooks_left_as_found(model):
        model[0]._forward_hooks.clear()
        model[0].register_forward_hook(lambda *_, **__: heard.append("mine"), with_kwargs=True)
        model[0].weight.grad = None
    model(torch.zeros(1, 3, 2, 2))

    assert heard == ["first", "second"]
    assert not model[0]._forward_hooks_with_kwargs
    assert model[0].weight.grad is gradient


def test_code_names_the_classes() -> None:
    model, inputs = PooledLinear().double(), picture()

    result = explain(model, inputs, hook=Keeps, hook_bwd=HookBwd)
    unnamed = explain(model, inputs, hook=lambda module: Keeps(module))

    assert 'cw.explain(model, image, method="grad_cam", hook=Keeps, hook_bwd=cw.HookBwd)' in result.code
    assert "target_classes=[1], hook=Keeps, hook_bwd=cw.HookBwd,\n)" in result.code_for("body.1", 1)
    assert "hook=MyHook" in unnamed.code
    assert "hook" not in explain(model, inputs).code


def test_a_panel_is_driven_by_own_hooks_and_shows_what_a_wrong_one_did() -> None:
    class Moody(Keeps):
        wrong = False

        def listen(self, module: nn.Module, inputs: Any, output: Any) -> Any:
            self.stored = inputs[0].detach() if self.wrong else output.detach().clone()

    model, inputs = PooledLinear(12, inplace=False), picture(height=40, width=60).float()
    panel = CamPanel(model, inputs, hook=Moody, hook_bwd=OnTensor)
    shown = panel.view.maps
    assert "hook=Moody, hook_bwd=OnTensor" in panel.result.code

    Moody.wrong = True
    with pytest.raises(HookError):
        panel.image = inputs.flip(3)

    assert "Moody on layer 'body.1' stores the input instead of the output" in panel.view.message
    assert panel.view.maps == shown
    with pytest.raises(CamwidgetError, match="stores the input"):
        CamPanel(model, inputs, hook=Moody)


def test_the_network_and_the_hooks_can_be_collected_afterwards() -> None:
    class Seen(Keeps):
        made: list[Any] = []  # noqa: RUF012 (shared on purpose)

        def __init__(self, module: nn.Module) -> None:
            super().__init__(module)
            self.made.append(weakref.ref(self))

    model = PooledLinear().double()
    explain(model, picture(), hook=Seen, hook_bwd=OnTensor)
    assert hook_count(model) == 0
    gone = weakref.ref(model)

    del model
    gc.collect()

    assert gone() is None
    assert [each() for each in Seen.made] == [None, None]
