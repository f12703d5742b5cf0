"""What a host sends to a view later, in whatever order it tells of it."""

import base64

import pytest
import torch
from playwright.sync_api import Page

from camwidget.panel.view import HeatmapView
from camwidget.pictures.explain import explain_methods
from tests.browser.standin import mount, painted
from tests.toys import strided

ONE_BY_ONE = """\
([given, order]) => {
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  for (const name of order) model.set(name, name === "maps" ? bytes(given[name]) : given[name]);
  model.set("class_index", 2);
}"""


@pytest.mark.parametrize("order", [("manifest", "maps"), ("maps", "manifest")])
def test_new_maps_are_shown_by_a_host_that_tells_of_them_one_after_the_other(
    page: Page, order: tuple[str, str]
) -> None:
    view, more = HeatmapView(), HeatmapView()
    torch.manual_seed(1)
    more.show(explain_methods(strided(3), torch.randn(1, 3, 90, 130), target_classes=[0, 1, 2]))
    mount(page, more, method_index=1, class_index=2)
    wanted = painted(page), page.locator(".camw-ticks").first.inner_text()
    view.show(explain_methods(strided(3), torch.randn(1, 3, 90, 130), target_classes=[0]))
    mount(page, view, method_index=1, picture=more.picture)

    new = {"manifest": more.manifest, "maps": base64.b64encode(more.maps).decode()}
    page.evaluate(ONE_BY_ONE, [new, order])

    assert page.locator(".camw-ticks").first.inner_text() == wanted[1]
    assert (painted(page) == wanted[0]).all()
