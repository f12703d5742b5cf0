"""Does a map depend on what the network has learnt? Its weights are randomised, layer by layer, from the last one back.

After Adebayo et al. 2018. A map that stays the same when the weights are gone shows edges of the picture, or where the
commas are, not what the network knows. Everything is done on a copy of the model.
"""

import copy
from dataclasses import dataclass
from typing import Any, SupportsIndex

import torch
from jaxtyping import Float
from scipy.stats import spearmanr
from torch import Tensor, nn

from camwidget.dispatch import explain
from camwidget.errors import MapError, three_parts
from camwidget.given import whole
from camwidget.hooks.capture import LayerCapture
from camwidget.hooks.copies import copied
from camwidget.hooks.subject import PICTURE, Subject
from camwidget.maps.arguments import Explainable, network_of
from camwidget.pictures.inputs import prepared
from camwidget.text.capture import TEXT
from camwidget.text.reader import reader_of, reads_text

SANITY_CAVEAT = (
    "A map that changes has passed a test that it could have failed. That does not prove that it shows what the "
    "network uses."
)
"""What to say beside the correlations."""

REST = "(outside layers)"
"""The name for parameters of no layer that ran; they are randomised first."""


@dataclass(frozen=True)
class SanityCheck:
    """How similar a map stays to the original as more and more layers forget what they have learnt."""

    method: str
    """The method of the maps."""
    layer: str
    """The layer of the maps."""
    target_class: int
    """Index of the class."""
    class_name: str
    """Its name."""
    randomised: tuple[str, ...]
    """The layers in the order of their randomisation, the network's last first; each stays randomised."""
    correlations: tuple[float, ...]
    """Spearman's rank correlation of the signed map with the original one after each of these layers."""


def randomised_weights(
    model: Explainable,
    inputs: Any,
    *,
    method: str | None = None,
    layer: str | None = None,
    target_class: SupportsIndex | str | None = None,
    seed: int = 0,
) -> SanityCheck:
    """Return how the map changes while the weights are randomised in a cascade from the last layer to the first.

    Kernels and matrices get normal random numbers around zero with the root mean square of the old values; vectors
    (biases, gains of a norm) are shuffled; running statistics and single numbers stay. The paper re-initialises; this
    way activations keep their size. The model is not touched; the check takes the memory of a second one, and one
    explanation per layer.

    Args:
        model: a fastai Learner or a torch module, of pictures or of texts.
        inputs: a picture, or a normalised tensor of shape (1, 3, height, width); for a model of texts the text.
        method: one of `explain`'s; None for `"grad_cam"` of a picture and `"cam"` of a text.
        layer: the layer of the maps; None for the deepest with a map.
        target_class: index or name; None for the most probable one.
        seed: decides the random weights; the caller's random numbers stay as they are.

    Raises:
        ModelError: the model cannot be copied.
        MapError: the original map is the same everywhere.
        CamwidgetError: see `explain`.
    """
    is_text = reads_text(model)
    inputs = inputs if is_text else prepared(model, inputs).inputs
    layers, targets = None if layer is None else [layer], None if target_class is None else [target_class]
    result = explain(model, inputs, method=method, layers=layers, target_classes=targets)
    original, name, target = result.cam(layer), layer or list(result.cams)[-1], result.target_classes[0]
    if bool((original == original.flatten()[0]).all()):
        given, allowed = f"The map of layer {name!r} is the same everywhere", "Its values must have an order"
        raise MapError(three_parts(given, allowed, "Try another layer or class"))
    network = copied(
        network_of(model),
        why="Its weights are randomised on a copy, so that yours stay as they are",
        try_="Build the model again and load its state_dict()",
    )
    duplicate = _around(network, model) if is_text else network
    seed = whole(seed, "seed", least=0, most=2**63 - 1, try_="Leave it out for 0")
    generator = torch.Generator().manual_seed(seed)
    correlations = {}
    for group, parameters in _groups(network, *_run_on(model, inputs, is_text=is_text)).items():
        for parameter in parameters:
            _randomise(parameter, generator)
        again = explain(duplicate, inputs, method=method, layers=[name], target_classes=[target])
        correlations[group] = rank_correlation(original, again.cam(name, target))
    class_name = result.class_names[target]
    return SanityCheck(result.method, name, target, class_name, tuple(correlations), tuple(correlations.values()))


def rank_correlation(first: Float[Tensor, "*axes"], second: Float[Tensor, "*axes"]) -> float:
    """Return Spearman's rank correlation, from -1 to 1; equal values share their mean rank.

    If either is the same everywhere, the correlation is not defined; 0 is returned, for no relation.

    Args:
        first: numbers.
        second: as many numbers.
    """
    a, b = (values.detach().cpu().double().flatten().numpy() for values in (first, second))
    if (a == a[:1]).all() or (b == b[:1]).all():  # SciPy would warn and return NaN
        return 0.0
    return float(spearmanr(a, b).statistic)


def _run_on(model: Explainable, inputs: Any, *, is_text: bool) -> tuple[Subject, Tensor]:
    """What the network itself runs on, and which kind of subject that is."""
    if not is_text:
        return PICTURE, inputs
    reader = reader_of(model)
    return TEXT, reader.ids(reader.tokens(inputs))


def _groups(network: nn.Module, subject: Subject, inputs: Tensor) -> dict[str, list[nn.Parameter]]:
    """The parameters by owning layer; the layer that finishes last comes first."""
    owned = {name: list(module.parameters(recurse=False)) for name, module in network.named_modules()}
    owned = {name: parameters for name, parameters in owned.items() if parameters}
    with LayerCapture(network, [name for name in owned if name], subject=subject) as capture:
        capture.forward(inputs)
        groups: dict[str, list[nn.Parameter]] = {REST: [], **{name: [] for name in reversed(capture.calls)}}
    for name, parameters in owned.items():
        while name and name not in groups:  # a layer that its parent uses without calling it
            name = name.rpartition(".")[0]
        groups[name or REST].extend(parameters)
    return {name: parameters for name, parameters in groups.items() if parameters}


def _around(network: nn.Module, model: Explainable) -> Explainable:
    """The model with another network in it: a Learner's tokenizer and vocabulary are needed to read a text."""
    if isinstance(model, nn.Module):
        return network
    around = copy.copy(model)
    around.model = network
    return around


def _randomise(parameter: nn.Parameter, generator: torch.Generator) -> None:
    """Put random values into one parameter, drawn on the CPU so that they are the same on every device."""
    if not parameter.is_floating_point():
        return
    values = parameter.detach().cpu().double()
    if values.ndim >= 2:
        drawn = torch.randn(values.shape, generator=generator, dtype=torch.float64) * values.square().mean().sqrt()
    else:
        drawn = values.flatten()[torch.randperm(values.numel(), generator=generator)].view_as(values)
    with torch.no_grad():
        parameter.copy_(drawn)
