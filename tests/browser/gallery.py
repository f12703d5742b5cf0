"""A gallery of mistakes: rows without pictures, and the tiles that a page shows."""

from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import Locator, Page

from camwidget.mistakes.found import Found


def many(count: int, classes: int = 4) -> Found:
    """Rows without pictures, as quick to make as they are many."""
    numbers = np.random.default_rng(0)
    names = [f"class {k}" for k in range(classes)]
    codes = numbers.integers(0, classes, (2, count))
    table = pd.DataFrame(
        {
            "path": [f"folder/picture_{row}.jpg" for row in range(count)],
            "true": pd.Categorical.from_codes(codes[0], names),
            "said": pd.Categorical.from_codes(codes[1], names),
            "right": codes[0] == codes[1],
            **{name: numbers.random(count, np.float32) for name in ("p_said", "p_true", "margin", "loss")},
            "problem": "",
        },
        index=pd.Index(range(count), name="row"),
    )
    maps = numbers.standard_normal((count, 2, 2, 3)).astype(np.float32)
    about: dict[str, Any] = {"method": "grad_cam", "layer": "0", "size": (24, 36), "root": "", "total": count}
    return Found(table=table, maps=maps, class_names=tuple(names), **about)


def rows_shown(page: Page) -> list[int]:
    return [int(row) for row in tiles(page).evaluate_all("(all) => all.map((each) => each.dataset.row)")]


def tiles(page: Page) -> Locator:
    return page.get_by_role("option")
