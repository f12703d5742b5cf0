"""`Explanation`: the maps of one picture, beside the picture as the network saw it."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from camwidget.hooks.layers import Layer
from camwidget.maps.result import LayerMaps
from camwidget.maps.store import Stored

PICTURE = "picture"
"""What a file calls results of this kind."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Explanation(LayerMaps):
    """What one method says about one picture, for several layers and classes; see `LayerMaps` for what it holds.

    A map has the axes (map_height, map_width), at the layer's own size.
    """

    image: Image.Image
    """What the network saw, back in colours, at the inputs' size."""
    notes: tuple[str, ...] = ()
    """What to know before believing it: what was assumed about the preparation, what the picture does not show."""

    def cam(
        self, layer: str | Layer | None = None, target_class: int | str | None = None
    ) -> Float[Tensor, "map_height map_width"]:
        """Return one map, raw and signed, at the layer's own size.

        Args:
            layer: the layer, by name or as in `layers`; None for the deepest with a map.
            target_class: index or name of the class; None for the first of `target_classes`.

        Raises:
            LayerError: there is no map of that layer.
            MapError: plain CAM is not valid from that layer; the message says why.
            ClassError: there is no such class, or no map of it.
        """
        return self.cams[self._map_layer(layer)][self._row(target_class)]

    def stored(self) -> Stored:
        """Return what a file keeps: that of the maps, and the picture."""
        maps = super().stored()
        return Stored(
            {**maps.data, "kind": PICTURE, "notes": list(self.notes)}, {**maps.arrays, "image": np.asarray(self.image)}
        )

    @classmethod
    def from_stored(cls, stored: Stored, **more: Any) -> Self:
        """Return the result that `stored` made; see `LayerMaps.from_stored`."""
        maps = Stored(stored.data, {name: array for name, array in stored.arrays.items() if name != "image"})
        notes = tuple(str(note) for note in stored.data["notes"])
        return super().from_stored(maps, image=Image.fromarray(stored.arrays["image"]), notes=notes, **more)
