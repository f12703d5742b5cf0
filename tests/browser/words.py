"""The colours of words: as the Python reference has them, and as a page shows them."""

import numpy as np
from playwright.sync_api import Page

from camwidget.panel.colours import colormap
from camwidget.panel.still import word_scale
from camwidget.text.result import TextExplanation

COLOURS = "(all) => all.map((each) => getComputedStyle(each).backgroundColor)"


def expected(
    result: TextExplanation,
    layer: str,
    target: int,
    *,
    signed: bool = True,
    shared: bool = True,
    scale: float = 0.0,
    on_dark: bool = False,
) -> np.ndarray:
    """Red, green, blue and opacity of each word, worked out with numpy from the explanation."""
    scale = scale or word_scale(result, layer, target, signed=signed, shared_scale=shared)
    share = np.clip(result.word_values(layer, target).numpy() / scale, -1.0 if signed else 0.0, 1)
    return colormap(on_dark=on_dark)[np.floor(share * 128 + 0.5).astype(int) + 128].astype(float)


def painted(page: Page, column: int = 0) -> np.ndarray:
    """The same, as the browser painted them."""
    found = page.locator(".camw-column").nth(column).locator(".camw-word").evaluate_all(COLOURS)
    rows = [[float(part) for part in each[each.index("(") + 1 : -1].split(",")] for each in found]
    return np.array([[*row[:3], 255 * (row[3] if len(row) == 4 else 1)] for row in rows])


def close(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Equal, but for one step of the table where a value falls between two, and for colours nobody can see."""
    seen = wanted[:, 3] > 0
    return (
        found.shape == wanted.shape and np.abs(found - wanted)[seen].max() <= 6 and found[~seen, 3].max(initial=0) <= 6
    )
