"""What one does with the gallery of mistakes, in a real JupyterLab with a real kernel."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.lab import jupyterlab, new_page, open_notebook, run_all, write_notebook
from tests.patience import HANGING_S

CELL = """\
import torch, camwidget as cw
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
_ = torch.manual_seed(1)
body = nn.Sequential(nn.Conv2d(3, 7, 5, stride=2), nn.ReLU(), nn.Conv2d(7, 6, 3, stride=2), nn.ReLU())
net = nn.Sequential(body, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))).eval()
data = TensorDataset(torch.randn(30, 3, 48, 72), torch.arange(30) % 3)
found = cw.find_mistakes(net, DataLoader(data, batch_size=8), class_names=["ant", "bee", "cow"], progress=False)
gallery = cw.MistakesPanel(found)
gallery"""


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "mistakes.ipynb", [CELL, "print(found.tags, gallery.picture)"])
    with jupyterlab(folder) as address:
        page = new_page(browser, width=1280, height=1500)
        open_notebook(page, address, "mistakes.ipynb")
        run_all(page)
        page.wait_for_selector(".camw-view[data-painted]", timeout=1000 * HANGING_S)
        yield page
        page.close()


def test_pictures_come_into_sight_one_is_opened_below_and_gets_a_tag(lab: Page) -> None:
    tile = lab.locator(".camw-gallery").get_by_role("option").nth(1)  # the notebook has options of its own
    expect(tile).to_have_attribute("data-painted", "both")

    tile.click()
    below = lab.get_by_role("group", name="Heatmap of what the network looks at")
    expect(below.locator(".camw-heading")).to_contain_text("Grad-CAM for class")
    expect(lab.locator(".camw-opened .camw-what")).to_contain_text("number 2 of")
    below.get_by_role("slider", name="Layer").press("Home")
    lab.get_by_role("button", name="wrong label").click()
    expect(lab.get_by_role("button", name="wrong label 1")).to_be_visible()
    lab.get_by_role("button", name="close").click()

    expect(below).to_have_count(0)
    expect(tile).to_have_attribute("aria-selected", "false")
