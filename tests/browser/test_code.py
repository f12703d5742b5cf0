"""The code that a page shows is run, and makes the numbers beside it: for every method, layer, class and refusal."""

import contextlib
import io
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page
from torch import Tensor, nn

from camwidget.maps.methods import METHODS
from camwidget.panel.base import SlidingPanel
from camwidget.panel.picture import CamPanel
from camwidget.panel.text import TextCamPanel
from camwidget.text.explain import TEXT_METHODS
from tests.browser.standin import mount
from tests.panel.choices import ask
from tests.text.toys import Reviews

MAIN = sys.modules["__main__"]

pytestmark = pytest.mark.browser


def small_network() -> nn.Module:
    """Two layers: plain CAM is exact from the second and refused from the first. The names of both need quotes."""
    torch.manual_seed(1)
    first = nn.Sequential(nn.Conv2d(3, 6, 5, stride=4), nn.ReLU())
    second = nn.Sequential(nn.Conv2d(6, 5, 3, stride=2), nn.ReLU())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3))
    net = nn.Sequential()
    for name, module in (('fir"st', first), ("se\\cond {layer}", second), ("head", head)):
        net.add_module(name, module)
    return net


def picture(seed: int) -> Image.Image:
    """A picture of the size that the network takes, so that nothing of it is cut off."""
    levels = np.random.default_rng(seed).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize((224, 224), Image.Resampling.BICUBIC)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Variables of a learner's notebook: what is put in here lies in `__main__` until the test ends."""

    class Notebook(dict[str, Any]):
        def __setitem__(self, name: str, value: Any) -> None:
            super().__setitem__(name, value)
            monkeypatch.setattr(MAIN, name, value, raising=False)

    return Notebook()


def choices(panel: SlidingPanel) -> Iterator[tuple[int, int, int]]:
    """Every method, layer and class, by their places."""
    manifest = panel.view.manifest
    return itertools.product(*(range(len(manifest[key])) for key in ("methods", "layers", "classes")))


def shown(page: Page, place: tuple[int, int, int], column: int) -> tuple[str, str]:
    """The code and the reason that the page shows for a choice, in one of its columns."""
    for trait, index in zip(("method_index", "layer_index", "class_index"), place, strict=True):
        page.evaluate("([trait, index]) => model.set(trait, index)", [trait, index])
    texts = (page.locator(f".camw-{part}").nth(column).text_content() for part in ("code pre", "reason"))
    return tuple(str(text) for text in texts)  # type: ignore[return-value]


def run(code: str, names: dict[str, Any]) -> tuple[Any, str]:
    """The value of the last line of some code, if it is an expression, and what it prints."""
    space, printed = dict(names), io.StringIO()
    *lines, last = code.strip().splitlines()
    with contextlib.redirect_stdout(printed):
        if last.startswith("result."):
            exec("\n".join(lines), space)
            return eval(last, space), printed.getvalue()
        exec(code, space)
    return None, printed.getvalue()


def numbers(panel: SlidingPanel, place: tuple[int, int, int], *, other: bool = False) -> tuple[Tensor, float]:
    """The numbers that the browser got for a map, and how coarse they are."""
    manifest = panel.view.manifest["other"] if other else panel.view.manifest
    method, layer, target = place
    entry, size = manifest["maps"][method][target][layer], manifest["layers"][layer]
    count = size["map_height"] * size["map_width"]
    steps = np.frombuffer(panel.view.maps, dtype="<i2")[entry["offset"] : entry["offset"] + count]
    return torch.from_numpy(steps.astype(np.float64) * entry["unit"]), entry["unit"]


def check_all(page: Page, panel: SlidingPanel, names: dict[str, Any], *, column: int = 0) -> int:
    """Run the code for every choice and compare; return how many maps were refused."""
    refused = 0
    for place in choices(panel):
        code, reason = shown(page, place, column)
        value, printed = run(code, names)
        if value is None:
            refused += 1
            assert printed == f"{reason}\n"
            continue
        if reason:  # Score-CAM, which was not run yet: the code runs it
            assert 'method="score_cam"' in code
            continue
        expected, unit = numbers(panel, place, other=column > 0)
        torch.testing.assert_close(value.double().flatten(), expected, rtol=1e-5, atol=0.51 * unit)
    return refused


def test_the_code_for_a_picture_makes_every_map_by_the_learners_own_names(page: Page, notebook: dict[str, Any]) -> None:
    notebook["net"], notebook["photo"] = small_network(), picture(0)
    panel = CamPanel(notebook["net"], notebook["photo"], methods=METHODS)
    mount(page, panel.view)

    assert check_all(page, panel, notebook) == 3  # plain CAM of the first layer, for three classes
    code, _ = shown(page, (1, 0, 0), 0)
    assert code.splitlines()[2:4] == ["result = cw.explain(", '    net, photo, method="grad_cam",']


def test_after_an_upload_the_picture_is_read_from_the_panel(page: Page, notebook: dict[str, Any]) -> None:
    notebook["net"], notebook["photo"] = small_network(), picture(0)
    notebook["my_panel"] = panel = CamPanel(notebook["net"], notebook["photo"], methods=METHODS[:3])
    file = io.BytesIO()
    picture(1).save(file, format="PNG")
    before = panel.result.cam().clone()
    ask(panel, "picture", file.getvalue(), name="a.png", at="picture")
    mount(page, panel.view)

    assert check_all(page, panel, notebook) == 3
    assert "image = my_panel.image\n" in shown(page, (1, 0, 0), 0)[0]
    assert not torch.equal(panel.result.cam(), before)


def test_what_has_no_name_is_read_from_the_panel_once_that_has_one(page: Page, notebook: dict[str, Any]) -> None:
    panel = CamPanel(small_network(), picture(0), methods=METHODS[:3])
    assert "# image is the picture you gave" in "".join(panel.view.manifest["methods"][0]["code"]["shown"])
    notebook["panel"] = panel
    panel._repr_mimebundle_()  # it is displayed
    mount(page, panel.view)

    assert check_all(page, panel, notebook) == 3
    assert "model = panel.model\nimage = panel.image\n" in shown(page, (1, 0, 0), 0)[0]


def test_the_code_for_two_texts_makes_the_numbers_of_all_their_words(page: Page, notebook: dict[str, Any]) -> None:
    notebook["reader"] = Reviews()
    panel = TextCamPanel(notebook["reader"], "The film was not good", compare='"Good" \\ film {class}')
    mount(page, panel.view)

    refused = [check_all(page, panel, notebook, column=column) for column in (0, 1)]

    assert refused[0] == refused[1] > 0
    assert len(panel.view.manifest["methods"]) == len(TEXT_METHODS)
    assert 'text = "The film was not good"\n' in shown(page, (1, 0, 0), 0)[0]


def test_after_another_text_was_typed_the_code_is_about_that(page: Page, notebook: dict[str, Any]) -> None:
    notebook["reader"], notebook["review"] = Reviews(), "The film was not good"
    panel = TextCamPanel(notebook["reader"], notebook["review"])
    mount(page, panel.view)
    assert "reader, review," in shown(page, (1, 0, 0), 0)[0]

    panel.text = "Never a film so good"
    mount(page, panel.view)

    check_all(page, panel, notebook)
    assert 'text = "Never a film so good"\n' in shown(page, (1, 0, 0), 0)[0]


def test_the_code_on_a_saved_page_runs_too(page: Page, notebook: dict[str, Any], tmp_path: Path) -> None:
    notebook["net"], notebook["photo"] = small_network(), picture(0)
    panel = CamPanel(notebook["net"], notebook["photo"], hook=cw_hook)
    page.goto(panel.save_html(tmp_path / "saved.html").as_uri())
    page.wait_for_selector(".camw-view[data-painted]")

    code = page.locator(".camw-code pre").text_content()
    value, _ = run(str(code), notebook | {"cw_hook": cw_hook})

    assert "hook=cw_hook" in str(code)
    assert torch.equal(value, panel.result.cam(panel.layer, panel.target_class))


class cw_hook:  # noqa: N801 (written as a learner may)
    """A hook class of a learner's own."""

    def __init__(self, module: nn.Module) -> None:
        self.handle = module.register_forward_hook(self.keep)

    def keep(self, _: nn.Module, __: Any, output: Tensor) -> None:
        self.stored = output.detach().clone()

    def __enter__(self) -> "cw_hook":
        return self

    def __exit__(self, *_: object) -> None:
        self.handle.remove()
