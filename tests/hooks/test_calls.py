"""A module that runs several times: which call is shown, and another one by its number; gradients by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.errors import CamwidgetError, LayerError, MapError
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.hook import Hook
from camwidget.maps.arguments import call_of
from camwidget.maps.call import filled
from camwidget.pictures.explain import explain, explain_methods
from camwidget.text.explain import explain_text
from camwidget.text.tokens import Vocabulary
from tests.text.toys import awd_learner
from tests.toys import PooledLinear, Reused, picture


class Siamese(nn.Module):
    """Sees a picture and its mirror image with one network, and adds the logits; `last` runs once."""

    def __init__(self) -> None:
        super().__init__()
        self.net = PooledLinear(4)
        self.head = nn.Linear(4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head((self.net(inputs) + 2 * self.net(inputs.flip(3))).tanh())


class Around(nn.Module):
    """Three convolutions in a circle: the first runs again after the others, and one of these runs three times."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
        self.head = nn.Linear(3, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.third(self.second(self.second(self.second(self.first(inputs))).tanh()))
        return self.head(self.first(hidden.tanh()).mean(dim=(2, 3)))


class Texts(nn.Module):
    """Reads a text twice with one convolution, the second time twice as loud."""

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary = Vocabulary(["the", "film", "was", "not", "good"])
        self.word = nn.Embedding(7, 4)
        self.conv = nn.Conv1d(4, 3, 3, padding="same")
        self.head = nn.Linear(3, 2)

    def forward(self, ids: Tensor) -> Tensor:
        vectors = self.word(ids).transpose(1, 2)
        return self.head((self.conv(vectors).tanh() - self.conv(2 * vectors) ** 2).mean(dim=2))


@pytest.mark.parametrize(("call", "shown"), [(None, 2), (-1, 2), (2, 2), (1, 1)])
def test_maps_of_each_call_are_those_worked_out_by_hand(call: int | None, shown: int) -> None:
    model, inputs = Siamese().double().eval(), picture()
    seen = [model.net.body(each).detach().requires_grad_() for each in (inputs, inputs.flip(3))]
    logits = [model.net.head(each.mean(dim=(2, 3))) for each in seen]
    out = model.head((logits[0] + 2 * logits[1]).tanh())
    (gradient,) = torch.autograd.grad(out[0, 1], seen[shown - 1])

    found = explain_methods(model, inputs, methods=("grad_cam", "hires_cam"), layers=["net.body"], call=call)

    weights = gradient.mean(dim=(2, 3), keepdim=True)
    for method, each in (("hires_cam", gradient), ("grad_cam", weights)):
        expected = (each * seen[shown - 1])[0].sum(dim=0).detach()
        on_picture = expected.flip(1) if shown == 2 else expected  # the second call sees the mirror image
        torch.testing.assert_close(found[method].cam("net.body", 1), on_picture)
    assert [(layer.call, layer.calls) for layer in found["grad_cam"].layers] == [(shown, 2)]


def test_a_layer_that_runs_once_says_so() -> None:
    result = explain(PooledLinear().double(), picture())

    assert {(layer.call, layer.calls) for layer in result.layers} == {(1, 1)}


def test_gradients_of_a_call_agree_with_finite_differences_of_what_is_put_in_its_place() -> None:
    model, inputs, step = Siamese().double().eval(), picture(), 1e-6

    for call in (1, 2):
        with LayerCapture(model, ["net.body"], call=call) as capture:
            capture.forward(inputs)
            gradient, activation = capture.gradients(1)["net.body"], capture.activations["net.body"].detach()
            for index in [(0, 0, 0, 0), (0, 2, 1, 3), (0, 4, 3, 4)]:
                moved = torch.zeros_like(activation)
                moved[index] = step
                high, low = (capture.rerun(inputs, replace={"net.body": activation + sign * moved}) for sign in (1, -1))
                expected = (high - low)[0, 1].item() / (2 * step)
                assert gradient[index].item() == pytest.approx(expected, abs=1e-8)


def test_a_layer_is_placed_by_the_call_that_is_shown() -> None:
    model, inputs = Around().double(), picture()

    last, first = (explain(model, inputs, call=call) for call in (None, 1))

    assert [layer.name for layer in last.layers] == ["second", "third", "first"]
    assert [layer.name for layer in first.layers] == ["first", "second", "third"]
    assert [(layer.call, layer.calls) for layer in first.layers] == [(1, 2), (1, 3), (1, 1)]


def test_a_call_that_did_not_run_is_refused_with_how_many_there_are() -> None:
    model, inputs = Around().double(), picture()

    assert [layer.name for layer in explain(model, inputs, call=3).layers] == ["second", "third"]
    with pytest.raises(LayerError, match=r"'first' ran 2 times: it has no call 3\. "):
        explain(model, inputs, layers=["first", "second"], call=3)
    with pytest.raises(LayerError, match=r"'first' has no call 3\. .* the most that it has is 2\. Leave call out"):
        explain(model, inputs, layers=["first"], call=3)
    with pytest.raises(LayerError, match=r"No layer to be shown has a call 4\. .* has is 3\. Leave call out"):
        explain(model, inputs, call=4)
    with pytest.raises(LayerError, match=r"has no call 2\. .* has is 1\. .*name a layer that runs several times"):
        explain(PooledLinear().double(), inputs, layers=["body"], call=2)


def test_what_is_no_number_of_a_call_is_refused() -> None:
    for call in (0, -2, 1.5, "first", True):
        with pytest.raises(LayerError, match=r"call was given as .*from 1, .*-1 is the last\. Leave it out"):
            call_of(call)
    with pytest.raises(LayerError, match="call was given as 0"):
        explain(Reused().double(), picture(), call=0)


def test_hook_classes_go_with_the_last_call_only() -> None:
    model, inputs = Reused().double(), picture()

    with pytest.raises(CamwidgetError, match=r"call=1 was given together with a hook class.* Leave call out"):
        explain(model, inputs, hook=Hook, call=1)
    assert torch.equal(explain(model, inputs, hook=Hook, call=-1).cam(), explain(model, inputs).cam())


def test_why_plain_cam_is_refused_goes_by_the_call_that_is_shown() -> None:
    model, inputs = Reused().double(), picture()

    with pytest.raises(MapError, match="Between it and the classes: a convolution"):
        explain(model, inputs, method="cam", call=1)
    with pytest.raises(MapError, match="Between it and the classes: operations that are not modules"):
        explain(model, inputs, method="cam")


def test_the_code_has_the_call_that_was_given() -> None:
    model, inputs = Siamese().double(), picture()
    result = explain(model, inputs, call=1)

    assert 'method="grad_cam", call=1)' in result.code
    names: dict[str, Any] = {"model": model, "image": inputs}
    *lines, last = filled(result.call.template(), "net.body.4", 2).strip().splitlines()
    exec("\n".join(lines), names)
    assert torch.equal(eval(last, names), result.cam("net.body.4", 2))
    assert "call=" not in explain(model, inputs).code


class Backwards(Texts):
    """Reads a text forwards, then backwards."""

    def forward(self, ids: Tensor) -> Tensor:
        vectors = self.word(ids).transpose(1, 2)
        return self.head((self.conv(vectors).tanh() - self.conv(vectors.flip(2)) ** 2).mean(dim=2))


def test_of_a_text_that_is_read_forwards_and_backwards_only_the_call_in_its_order_has_values() -> None:
    model = Backwards().double().eval()

    assert "conv" in explain_text(model, "The film was good", method="hires_cam", call=1).cams
    assert "conv" not in explain_text(model, "The film was good", method="hires_cam", call=2).cams
    with pytest.raises(LayerError, match="reversed, shifted or sorted"):
        explain_text(model, "The film was good", layers=["conv"], call=2)


def test_a_text_read_several_times_is_explained_call_by_call() -> None:
    model = Texts().double().eval()
    ids = model.vocabulary.ids(model.vocabulary.tokens("The film was good"))
    vectors = model.word(ids).transpose(1, 2)
    seen = [model.conv(each).detach().requires_grad_() for each in (vectors, 2 * vectors)]
    out = model.head((seen[0].tanh() - seen[1] ** 2).mean(dim=2))

    for call, (each, gradient) in enumerate(zip(seen, torch.autograd.grad(out[0, 1], seen), strict=True), 1):
        found = explain_text(model, "The film was good", method="hires_cam", call=call)
        torch.testing.assert_close(found.cam("conv", 1), (gradient * each)[0].sum(dim=0).detach())
        assert [(layer.name, layer.call, layer.calls) for layer in found.layers] == [("word", 1, 1), ("conv", call, 2)]
    with pytest.raises(LayerError, match="'conv' has no call 3"):
        explain_text(model, "The film was good", layers=["conv"], call=3)


def test_the_parts_of_a_text_are_joined_and_count_as_one_call() -> None:
    result = explain_text(awd_learner(), "a bad, bad film with no idea", method="hires_cam", call=1)

    assert {(layer.call, layer.calls) for layer in result.layers} == {(1, 1)}
