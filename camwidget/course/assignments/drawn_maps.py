"""A drawn network of which `explain` has maps, for judges that let it use a learner's hooks."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from torch import Tensor, nn

from camwidget.errors import LayerError
from camwidget.pictures.explain import explain
from camwidget.pictures.result import Explanation

Network = TypeVar("Network", bound=nn.Module)
_DRAWS = 50
"""About one drawn network of sixty is refused."""


def network_with_maps(
    draw: Callable[[], tuple[Network, Tensor]], *, layers: Sequence[str], target_classes: Sequence[int]
) -> tuple[Network, Tensor, Explanation]:
    """Draw networks until `explain` has a map of these layers.

    Of a network with random weights it may doubt that a layer's places answer to those of the picture. That says
    nothing of an answer, and would cost a whole class the item.

    Args:
        draw: returns a network and inputs, others at each call.
        layers: names of the layers.
        target_classes: of the maps.

    Returns:
        The network, one picture for it, and its maps.
    """
    for _ in range(_DRAWS - 1):
        model, inputs = draw()
        try:
            return model, inputs, explain(model, inputs[:1], layers=layers, target_classes=target_classes)
        except LayerError:
            continue
    model, inputs = draw()
    return model, inputs, explain(model, inputs[:1], layers=layers, target_classes=target_classes)
