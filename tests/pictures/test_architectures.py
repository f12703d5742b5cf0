"""The table of networks is what `explain` does today: every row is run, every map looked at."""

import re
from collections.abc import Iterable

import pytest
import torch
import torchvision
from torchvision.models import list_models

from camwidget.maps import methods
from camwidget.pictures.result import Explanation
from tests.house.repository import ROOT
from tests.networks import CHEAP, ON_REQUEST, Network, explained, head, networks, row, versions

pytestmark = pytest.mark.slow
WRITTEN = (ROOT / "NETWORKS.md").read_text().splitlines()
ADVICE = "NETWORKS.md is out of date: python -m tests.networks > NETWORKS.md"
NETWORKS = networks()
LIBRARIES = ("torchvision", "timm", "fastai")


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: f"{network.library} {network.member}")
def test_every_method_gives_maps_or_says_why_and_the_table_says_the_same(network: Network) -> None:
    found = explained(network)

    assert set(found) == set(CHEAP)
    for method, result in found.items():
        assert isinstance(result, Explanation), f"{method}: {result}"
        assert result.cams or (method == "cam" and all(result.refusals.values()))
        sizes = {layer.name: (2, layer.map_height, layer.map_width) for layer in result.layers}
        assert {name: tuple(cams.shape) for name, cams in result.cams.items()} == sizes
        assert all(bool(torch.isfinite(cams).all()) for cams in result.cams.values())
        if method == "hires_cam":  # maps of zeros would be no maps
            assert all(bool(cams.any()) for cams in result.cams.values())
    layers = found["grad_cam"].layers
    assert len(layers) >= 4
    assert row(network, found) in WRITTEN, f"{ADVICE}\n{row(network, found)}"


def test_the_table_has_these_rows_in_this_order_and_no_others() -> None:
    above = [each for each in head() if each != versions()]
    rows = WRITTEN[len(above) + 1 :]

    assert [each for each in WRITTEN[: len(above) + 1] if not each.startswith("Made with ")] == above, ADVICE
    assert [tuple(each.split(" | ")[1:3]) for each in rows] == [(each.family, each.member) for each in NETWORKS], ADVICE


def test_every_family_of_torchvision_and_more_than_twenty_of_timm_are_in_it() -> None:
    def families(names: Iterable[str]) -> set[str]:
        return {re.sub(r"\d.*|_.*", "", name) for name in names}

    members = {library: [each.member for each in NETWORKS if each.library == library] for library in LIBRARIES}

    assert families(list_models(module=torchvision.models)) == families(members["torchvision"])
    assert len(families(members["timm"])) > 20


def test_what_is_left_out_of_the_run_is_a_method_that_says_it_is_expensive() -> None:
    assert set(CHEAP) | ON_REQUEST >= set(methods.METHODS)
    assert {"cam", "grad_cam", "eigen_cam"} <= set(CHEAP)
