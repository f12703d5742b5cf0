"""What keeps a network from being explained is said in our words; an error of its own stays as it is."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from camwidget.dispatch import explain
from camwidget.errors import ImageError, LayerError, ModelError
from camwidget.hooks.obstacles import is_quantised, refuse_unready, running, why_closed
from camwidget.maps.arguments import network_of
from tests.toys import Fails, PooledLinear, hook_count, picture


def small(channels: int = 3) -> nn.Sequential:
    body = (nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.ReLU())
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3))


def inputs(channels: int = 3) -> Tensor:
    return torch.randn(1, channels, 9, 12, generator=torch.Generator().manual_seed(0))


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = small()

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.network(first) + self.network(second)


class Optional(Pair):
    """A second input that has a default, and cannot do without, as CLIP has."""

    def forward(self, first: Tensor, second: Tensor | None = None) -> Tensor:
        return self.network(first) + self.network(first)[:, : second.shape[1]]


class Keyword(Pair):
    def forward(self, *, first: Tensor) -> Tensor:
        return self.network(first)


class Named(Pair):
    def forward(self, batch: Any) -> Tensor:
        return self.network(batch["image"])


class Again(nn.Module):
    """Runs its middle again in the backward pass."""

    def __init__(self, *, reentrant: bool) -> None:
        super().__init__()
        self.first, self.middle, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3), nn.Linear(5, 3)
        self.reentrant = reentrant

    def forward(self, batch: Tensor) -> Tensor:
        hidden = checkpoint(self.middle, self.first(batch).relu(), use_reentrant=self.reentrant)
        return self.head(hidden.relu().mean(dim=(2, 3)))


class Backwards(torch.autograd.Function):
    """A backward pass of its own, which wants to be trained, as reversible layers do."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor) -> Tensor:
        return 2 * hidden

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        raise AssertionError("If you want to train it, make sure to use `model.train()`.")


class Reversible(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 5, 3), nn.Linear(5, 3)

    def forward(self, batch: Tensor) -> Tensor:
        return self.head(Backwards.apply(self.body(batch)).mean(dim=(2, 3)))


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return small()


def frozen() -> nn.Module:
    return torch.jit.freeze(torch.jit.script(small().eval()))


def exported() -> nn.Module:
    return torch.export.export(small(), (inputs(),)).module()


def mixed() -> nn.Module:
    network = small()
    network[2].double()
    return network


COMPILED = "compiled by TorchScript, which calls no hooks inside.*Explain the network that it was compiled from"
OBSTACLES: dict[str, tuple[Callable[[], nn.Module], type[Exception], str]] = {
    "scripted": (lambda: torch.jit.script(small()), ModelError, f"This RecursiveScriptModule is {COMPILED}"),
    "traced": (lambda: torch.jit.trace(small(), inputs()), ModelError, COMPILED),
    "frozen": (frozen, ModelError, COMPILED),
    "scripted inside": (
        lambda: nn.Sequential(torch.jit.script(small()), nn.Identity()),
        ModelError,
        f"Parts.*{COMPILED}",
    ),
    "exported": (
        exported,
        ModelError,
        r"was exported: its graph calls operations.*torch\.export\.unflatten\(program\)",
    ),
    "two inputs": (Pair, ModelError, r"missing 1 required positional argument: 'second'.*one argument.*Wrap it"),
    "two inputs, inside": (lambda: nn.DataParallel(Pair()), ModelError, "'second'.*one argument, the batch.*Wrap it"),
    "a second input with a default": (Optional, ModelError, "NoneType.*one argument, the batch.*Wrap it"),
    "a keyword": (Keyword, ModelError, "one argument, the batch.*Wrap it"),
    "a dictionary": (Named, ModelError, "one argument, the batch.*Wrap it"),
    "a lazy convolution": (
        lambda: nn.Sequential(nn.LazyConv2d(4, 3)),
        ModelError,
        r"'0\.weight'.*lazy.*model\(batch\)",
    ),
    "a lazy norm": (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.LazyBatchNorm2d()), ModelError, r"'1\.weight'.*lazy"),
    "meta device": (on_meta, ModelError, r"'0\.weight' is on the meta device.*load_state_dict\(state, assign=True\)"),
    "reentrant": (lambda: Again(reentrant=True), ModelError, "reentrant checkpointing.*use_reentrant=False"),
    "reversible": (Reversible, ModelError, r"own backward pass stops.*model\.train\(\).*evaluation mode"),
    "other channels": (lambda: small(5), ImageError, r"expected input\[1, 3, 9, 12\] to have 5 channels.*transform="),
    "two precisions": (mixed, ModelError, r"one another's precision.*model\.float\(\)"),
    "another size": (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(7, 3)), ModelError, "size="),
}


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize("which", OBSTACLES)
def test_what_stands_in_the_way_is_said_with_what_to_try(which: str) -> None:
    make, kind, message = OBSTACLES[which]
    network = make()

    before = None if isinstance(network, torch.jit.ScriptModule) else hook_count(network)

    with pytest.raises(kind, match=message):
        explain(network, inputs())

    assert before is None or hook_count(network) == before


def test_the_advice_works_when_it_is_followed() -> None:
    network, batch = small(), inputs()
    expected = explain(network, batch, layers=["3"], target_classes=[1]).cam()
    program = torch.export.export(network, (batch,))
    with torch.device("meta"):
        loaded = small()
    loaded.load_state_dict(network.state_dict(), assign=True)
    lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(3))
    lazy(batch)

    for each in (torch.export.unflatten(program), loaded, torch.fx.symbolic_trace(network)):
        torch.testing.assert_close(explain(each, batch, layers=["3"], target_classes=[1]).cam(), expected)
    assert explain(lazy, batch).cam().shape == (7, 10)
    assert explain(mixed().float(), batch).cam().shape == (5, 8)
    assert explain(Again(reentrant=False), batch).cam().shape == (5, 8)

    class First(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pair = Pair()
            self.register_buffer("second", torch.zeros(1, 3, 9, 12))

        def forward(self, batch: Tensor) -> Tensor:
            return self.pair(batch, self.second.expand_as(batch))

    assert explain(First(), batch).cam().shape == (5, 8)


def test_a_compiled_layer_asked_for_by_name_is_refused_and_others_beside_it_are_explained() -> None:
    network = small()
    mixed_up = nn.Sequential(network[:2], torch.jit.script(network[2:]))

    with pytest.raises(LayerError, match=r"Layer '1' is compiled by TorchScript"):
        explain(mixed_up, inputs(), layers=["1"])
    found, expected = explain(mixed_up, inputs(), layers=["0"]), explain(network, inputs(), layers=["1"])
    torch.testing.assert_close(found.cam(target_class=2), expected.cam(target_class=2))


def test_an_exported_program_and_what_only_holds_a_network_are_refused_with_what_to_pass() -> None:
    class Holder:
        model = PooledLinear()

    # outside of tests no annotation is checked: the function itself must say it
    unchecked = getattr(network_of, "__wrapped__", network_of)
    with pytest.raises(TypeError, match=r"ExportedProgram.*torch\.export\.unflatten\(program\)"):
        unchecked(torch.export.export(small(), (inputs(),)))
    with pytest.raises(TypeError, match=r"Holder.*its \.model"):
        unchecked(Holder())


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantised_layers_are_refused_with_that_reason() -> None:
    class Low(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            return torch.quantize_per_tensor(batch, 0.1, 0, torch.qint8)

    class High(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            return batch.dequantize().mean(dim=(2, 3))

    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), Low()), High())

    assert is_quantised(Low()(inputs()))
    assert not is_quantised(inputs())
    with pytest.raises(LayerError, match="Layer '0' returns quantised numbers, which have no gradient"):
        explain(network, inputs(), layers=["0"])
    with pytest.raises(ModelError, match=r"return quantised numbers.*from before its quantisation"):
        explain(network, inputs())


def test_an_error_of_the_networks_own_stays_as_it_is() -> None:
    with pytest.raises(ArithmeticError, match="in the middle"):
        explain(nn.Sequential(nn.Conv2d(3, 2, 1), Fails()).double(), picture())

    own = RuntimeError("no such thing")
    with pytest.raises(RuntimeError, match="no such thing") as caught, running(small(), inputs()):
        raise own
    assert caught.value is own
    ours = ModelError("said already: doesn't match model")
    with pytest.raises(ModelError) as said, running(small(), inputs()):
        raise ours
    assert said.value is ours


def test_an_ordinary_network_has_nothing_against_it() -> None:
    refuse_unready(small())
    assert why_closed(small()) == ""
    assert why_closed(torch.fx.symbolic_trace(small())) == ""


class Mixing(nn.Module):
    """Between two convolutions, a linear layer works on the channels of every place, alone or beside a way around."""

    def __init__(self, *, around: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.around = around
        self.first, self.mix, self.second = nn.Conv2d(3, 4, 3), nn.Linear(4, 4), nn.Conv2d(4, 4, 3)
        self.head = nn.Conv2d(4, 3, 1)

    def forward(self, batch: Tensor) -> Tensor:
        found = self.first(batch)
        mixed = self.mix(found.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return self.head(self.second(mixed + found if self.around else mixed)).mean(dim=(2, 3))


@pytest.mark.filterwarnings(
    "ignore:torch.ao.quantization is deprecated", "ignore:.*torch.q(u?)int", "ignore:.*TypedStor"
)
@pytest.mark.parametrize("around", [False, True])
def test_before_an_operation_without_a_derivative_no_layer_has_a_map_and_behind_it_all_have(around: bool) -> None:
    network = torch.ao.quantization.quantize_dynamic(Mixing(around=around), {nn.Linear})

    assert "first" not in [layer.name for layer in explain(network, inputs(), method="hires_cam").layers]
    found, (layer,) = explain(network, inputs(), layers=["second"], method="hires_cam"), [network.head]
    by_hand = network.second(network.mix(network.first(inputs()).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
    if not around:
        places = by_hand.shape[2] * by_hand.shape[3]
        expected = torch.einsum("c,chw->hw", layer.weight[found.target_classes[0], :, 0, 0], by_hand[0]) / places
        torch.testing.assert_close(found.cam(), expected.detach())
    with pytest.raises(LayerError, match="'first' lies before an operation that PyTorch has no derivative of"):
        explain(network, inputs(), layers=["first"], method="hires_cam")


def test_layers_inside_a_vectorised_map_are_refused_with_what_to_write() -> None:
    class Mapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

        def forward(self, batch: Tensor) -> Tensor:
            logits: Tensor = torch.vmap(lambda each: self.head(self.one(each[None]).mean(dim=(2, 3)))[0])(batch)
            return logits

    with pytest.raises(ModelError, match=r"hides these. Let forward call its layers on the whole batch"):
        explain(Mapped(), inputs())


@torch.library.custom_op("camwidget_tests::doubled", mutates_args=())
def doubled(given: Tensor) -> Tensor:
    """An operation of one's own, without a backward pass."""
    return given * 2


def test_an_operation_of_ones_own_without_a_backward_pass_is_named_as_the_reason() -> None:
    class Doubling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

        def forward(self, batch: Tensor) -> Tensor:
            logits: Tensor = self.head(doubled(self.one(batch)).mean(dim=(2, 3)))
            return logits

    with pytest.raises(ModelError, match=r"an operation without a derivative: .*doubled.* register_autograd"):
        explain(Doubling(), inputs())
