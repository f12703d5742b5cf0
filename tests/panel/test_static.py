"""The functions of the JavaScript that need no page, in node: their values are worked out by hand or by Python here."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from camwidget.panel.colours import colormap, colour_step, overlay
from camwidget.panel.gallery import MistakesView
from camwidget.panel.modules import STATIC
from camwidget.panel.view import HeatmapView, MapView, TextView, ToldView
from tests.house.repository import ROOT
from tests.node import node_tool

TESTS = ROOT / "tests" / "panel" / "js"


def spread_cases() -> list[dict[str, Any]]:
    """Maps spread by torch: up, down, by one cell, and to sizes that do not divide."""
    cases = []
    for map_height, map_width, height, width in (
        (2, 3, 7, 11),
        (7, 5, 90, 130),
        (1, 4, 3, 9),
        (6, 6, 4, 5),
        (1, 1, 3, 2),
    ):
        cam = torch.randn(map_height, map_width)
        for smooth in (True, False):
            size = {"map_height": map_height, "map_width": map_width, "height": height, "width": width}
            how: dict[str, Any] = {"mode": "bilinear", "align_corners": False} if smooth else {"mode": "nearest"}
            values = functional.interpolate(cam[None, None], (height, width), **how)
            cases.append({"map": listed(cam), **size, "smooth": smooth, "values": listed(values)})
    return cases


def blend_cases() -> list[dict[str, Any]]:
    """Pictures that colours.overlay painted, in blocks: between two steps of the table rounding would decide."""
    cases = []
    pixels = np.random.default_rng(3).integers(0, 256, (6, 8, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    for signed, opacity in ((True, 0.7), (False, 1.0), (True, 0.25)):
        cam = torch.randn(3, 4)
        painted = overlay(
            Image.fromarray(pixels).convert("RGB"), cam, scale=1.1, heatmap_opacity=opacity, smooth=False, signed=signed
        )
        look = {"scale": 1.1, "opacity": opacity, "signed": signed}
        size = {"map_height": 3, "map_width": 4, "height": 6, "width": 8}
        given = {"pixels": pixels.ravel().tolist(), "map": listed(cam), "colormap": colormap().ravel().tolist()}
        blended = np.asarray(painted.convert("RGBA")).ravel().tolist()
        cases.append({**given, **size, "look": look, "smooth": False, "blended": blended})
    return cases


def step_cases() -> list[dict[str, Any]]:
    return [
        {"value": value, "scale": scale, "signed": signed, "step": colour_step(value, scale, signed=signed)}
        for value in np.linspace(-1.3, 1.3, 41).tolist()
        for scale in (0.0, 0.37, 1.0)
        for signed in (True, False)
    ]


def listed(values: torch.Tensor) -> list[float]:
    return [float(value) for value in values.flatten()]


def run_node(*files: Path, expected: Path) -> tuple[subprocess.CompletedProcess[str], list[str], list[str]]:
    """Run tests of node; the names of those that passed, and of those that failed."""
    done = subprocess.run(
        [node_tool("node"), "--test", "--test-reporter=tap", *map(str, files)],
        env={**os.environ, "CAMWIDGET_EXPECTED": str(expected)},
        capture_output=True,
        text=True,
        check=False,
    )
    passed, failed = (
        re.findall(rf"^\s*{word} \d+ - (.*?)(?: #.*)?$", done.stdout, re.MULTILINE) for word in ("ok", "not ok")
    )
    return done, passed, failed


@pytest.fixture
def expected(tmp_path: Path) -> Path:
    path = tmp_path / "expected.json"
    tables = {"light": colormap().ravel().tolist(), "dark": colormap(on_dark=True).ravel().tolist()}
    path.write_text(
        json.dumps({"spread": spread_cases(), "blend": blend_cases(), "steps": step_cases(), "tables": tables})
    )
    return path


def test_the_functions_of_the_javascript_give_what_is_expected(expected: Path) -> None:
    done, passed, failed = run_node(*sorted(TESTS.glob("*.test.js")), expected=expected)

    assert failed == [], done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    names = [name for path in TESTS.glob("*.test.js") for name in re.findall(r'^test\("(.*?)"', path.read_text(), re.M)]
    assert len(names) > 30
    assert set(names) <= set(passed)
    assert "# skipped 0" in done.stdout


def test_a_function_that_is_wrong_is_reported_by_the_name_of_its_test(expected: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.test.mjs"
    wrong.write_text(
        'import { test } from "node:test";\ntest("two is three", () => { if (2 !== 3) throw Error(); });\n'
    )

    done, _, failed = run_node(wrong, expected=expected)

    assert done.returncode != 0
    assert "two is three" in failed


KINDS = {
    "Int": "number",
    "Float": "number",
    "Unicode": "string",
    "Enum": "string",
    "Bytes": "Bytes",
    "Dict": "No|TagRows",
    "List": r"(string|number)?\[\]",
}  # by the end of what is written in TypeScript


def kind_of(trait: Any) -> str:
    name = type(trait).__name__
    if trait.name == "regions":
        return r"Region\[\]"  # each a list of four numbers
    return KINDS[type(trait._trait).__name__] + KINDS[name] if name == "List" else KINDS[name]


@pytest.mark.parametrize(
    ("view", "parents", "interface"),
    [
        (MapView, ("Told",), "MapTraits"),
        (HeatmapView, ("Told", "MapTraits"), "PictureTraits"),
        (TextView, ("Told", "MapTraits"), "TextTraits"),
        (MistakesView, ("Told",), "MistakesTraits"),
    ],
)
def test_the_traits_that_the_javascript_knows_are_those_of_python(
    view: type[ToldView], parents: tuple[str, ...], interface: str
) -> None:
    source = "".join(path.read_text() for path in sorted(STATIC.glob("*.d.ts")))
    known: dict[str, str] = {}
    for name in (*parents, interface):
        body = re.search(rf"^export interface {name}\b[^{{]*\{{(.*?)^\}}", source, re.MULTILINE | re.DOTALL)
        assert body is not None
        known |= dict(
            re.findall(r"^  (\w+): (?:\w+ \| )?(No(?=Manifest|Cut|Inside|Hidden)|[\w\[\]]+)", body[1], re.MULTILINE)
        )
    inherited = ToldView.mro()[1].class_trait_names(sync=True)  # what every widget has
    traits = {name: trait for name, trait in view.class_traits(sync=True).items() if name not in inherited}

    own = {name: kind_of(trait) for name, trait in traits.items() if not name.startswith("_")}
    assert known.keys() == own.keys()
    assert {name: known[name] for name, kind in own.items() if not re.fullmatch(kind, known[name])} == {}
