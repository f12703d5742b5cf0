"""`Explanation`: the maps of one picture, beside the picture as the network saw it."""

from dataclasses import dataclass

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from camwidget.maps.result import LayerMaps


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Explanation(LayerMaps):
    """What one method says about one picture, for several layers and classes; see `LayerMaps` for what it holds.

    A map has the axes (map_height, map_width), at the layer's own size.
    """

    image: Image.Image
    """What the network saw, back in colours, at the inputs' size."""

    def cam(
        self, layer: str | None = None, target_class: int | str | None = None
    ) -> Float[Tensor, "map_height map_width"]:
        """Return one map, raw and signed, at the layer's own size.

        Args:
            layer: name of the layer; None for the deepest with a map.
            target_class: index or name of the class; None for the first of `target_classes`.

        Raises:
            LayerError: there is no map of that layer.
            MapError: plain CAM is not valid from that layer; the message says why.
            ClassError: there is no such class, or no map of it.
        """
        return self.cams[self._map_layer(layer)][self._row(target_class)]
