"""Which part a network sees of a picture that has another shape: cut here, so that it can be told and moved."""

from dataclasses import dataclass
from typing import Any

from PIL import Image

SAME_SHAPE = 0.02
"""Shapes whose ratio of sides differs by less are one: a resize to whole pixels changes as much."""


@dataclass(frozen=True, eq=False)
class PictureCut:
    """A whole picture, and how it is made to fit: one part of it, or all of it between bars."""

    whole: Image.Image
    """The picture as it was given."""
    shape: tuple[int, int]
    """Width and height of what the network sees; only their ratio counts."""
    position: float = 0.5
    """Where the part lies along the longer side, from 0 (left or top) to 1."""
    bars: bool = False
    """All of it between grey bars, in place of a part."""

    @property
    def needed(self) -> bool:
        """Whether the picture has another shape than what the network sees."""
        part_width, part_height = self._part()
        return min(part_width / self.whole.width, part_height / self.whole.height) < 1 - SAME_SHAPE

    def picture(self) -> Image.Image:
        """Return a picture of the network's shape."""
        whole = self.whole.convert("RGB")
        if self.bars:
            factor = max(whole.width / self.shape[0], whole.height / self.shape[1])
            sheet = Image.new("RGB", (round(self.shape[0] * factor), round(self.shape[1] * factor)), (124, 116, 104))
            sheet.paste(whole, ((sheet.width - whole.width) // 2, (sheet.height - whole.height) // 2))
            return sheet
        width, height = self._part()
        left, top = round((whole.width - width) * self.position), round((whole.height - height) * self.position)
        return whole.crop((left, top, left + width, top + height))

    def shown(self) -> dict[str, Any]:
        """Return what the browser says about it."""
        width, height = self._part()
        return {
            "width": self.whole.width,
            "height": self.whole.height,
            "part_width": width,
            "part_height": height,
            "position": self.position,
            "bars": self.bars,
        }

    def _part(self) -> tuple[int, int]:
        """Width and height of the largest part with the network's shape."""
        factor = min(self.whole.width / self.shape[0], self.whole.height / self.shape[1])
        return round(self.shape[0] * factor), round(self.shape[1] * factor)
