"""The result of `explain_text`: what every token and every word contributes, by layer and class."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor

from camwidget.errors import clipped
from camwidget.hooks.layers import Layer
from camwidget.maps.result import LONGEST, LayerMaps
from camwidget.maps.store import Stored
from camwidget.text.tokens import Token, Word, unknown_share

TEXT = "text"
"""What a file calls results of this kind."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class TextExplanation(LayerMaps):
    """What one method says about one text, for several layers and classes; see `LayerMaps` for what it holds.

    A map has one value for each position, that is for each token that the network read. If the values of a map add up
    to something (`contributions`), it takes all positions: the words' values and the `rest`.
    """

    text: str
    """The text, as it was given."""
    tokens: tuple[Token, ...]
    """What the network read, one for each position, including special tokens, which stand for no part of the text."""
    words: tuple[Word, ...]
    """The words of the text in order, each with its tokens."""
    notes: tuple[str, ...] = ()
    """What to know before believing the maps, in sentences: unknown words, what no gradient reaches. Often empty."""

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}; text {clipped(self.text, longest=LONGEST)!r}, {len(self.words)} words>"

    @property
    def knows_layer(self) -> bool:
        """Whether the maps depend on the layer; leaving words out has nothing to do with layers."""
        return self.method != "occlusion"

    @property
    def unknown_share(self) -> float:
        """The share of words missing from the vocabulary, from 0 to 1; to the network they are all alike."""
        return unknown_share(self.words)

    def cam(
        self, layer: str | Layer | None = None, target_class: int | str | None = None
    ) -> Float[Tensor, " position"]:
        """Return one map, raw and signed: a value for each token, special ones included.

        Args:
            layer: the layer, by name or as in `layers`; None for the deepest with a map.
            target_class: index or name of the class; None for the first of `target_classes`.

        Raises:
            LayerError: there is no map of that layer.
            MapError: plain CAM is not valid from that layer; the message says why.
            ClassError: there is no such class, or no map of it.
        """
        return self.cams[self._map_layer(layer)][self._row(target_class)]

    def word_values(
        self, layer: str | Layer | None = None, target_class: int | str | None = None
    ) -> Float[Tensor, " word"]:
        """Return one value for each of `words`: the sum over its tokens.

        Args:
            layer: see `cam`.
            target_class: see `cam`.

        Raises:
            CamwidgetError: see `cam`.
        """
        cam = self.cam(layer, target_class)
        positions = [position for word in self.words for position in word.positions]
        owners = [number for number, word in enumerate(self.words) for _ in word.positions]
        return cam.new_zeros(len(self.words)).index_add(0, torch.tensor(owners), cam[positions])

    def rest(self, layer: str | Layer | None = None, target_class: int | str | None = None) -> float:
        """Return the sum over all tokens that are part of no word: the tokenizer's special ones.

        Args:
            layer: see `cam`.
            target_class: see `cam`.

        Raises:
            CamwidgetError: see `cam`.
        """
        cam = self.cam(layer, target_class)
        outside = torch.ones(len(cam), dtype=torch.bool)
        outside[[position for word in self.words for position in word.positions]] = False
        return float(cam[outside].double().sum())

    def stored(self) -> Stored:
        """Return what a file keeps: that of the maps, the text, its tokens and words."""
        maps = super().stored()
        own = {
            "text": self.text,
            "tokens": [asdict(token) for token in self.tokens],
            "words": [asdict(word) for word in self.words],
            "notes": list(self.notes),
        }
        return Stored({**maps.data, "kind": TEXT, **own}, maps.arrays)

    @classmethod
    def from_stored(cls, stored: Stored, **more: Any) -> Self:
        """Return the result that `stored` made; see `LayerMaps.from_stored`."""
        data = stored.data
        return super().from_stored(
            stored,
            text=str(data["text"]),
            tokens=tuple(Token(**token) for token in data["tokens"]),
            words=tuple(Word(**{**word, "positions": tuple(word["positions"])}) for word in data["words"]),
            notes=tuple(map(str, data["notes"])),
            **more,
        )
