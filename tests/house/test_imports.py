"""What import-linter cannot see: names inside a module, and which modules there are."""

import ast
from pathlib import Path

from tests.house.repository import ROOT, planted
from tests.house.rules import rivals_used

PACKAGE = ROOT / "camwidget"


def names_in(source: str) -> set[str]:
    """Every identifier a module uses or defines."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.update(node.name.split("."))
    return found


def test_the_arithmetic_of_maps_knows_no_module_and_no_hook() -> None:
    used = names_in((PACKAGE / "maps" / "formulas.py").read_text())

    assert not {name for name in used if name in {"nn", "Module"} or "hook" in name}


def test_the_walk_over_names_sees_a_module_and_a_hook() -> None:
    used = names_in("from torch import nn\ndef f(net: nn.Module):\n    net.register_forward_hook(print)\n")

    assert {"nn", "Module", "register_forward_hook", "net"} <= used


def test_names_of_the_house_are_used_and_not_their_rivals() -> None:
    found = rivals_used(PACKAGE)

    assert found == [], "\n".join(found)


def test_a_rival_is_seen_in_every_folder_and_in_modules_with_one_name(tmp_path: Path) -> None:
    package = planted(
        tmp_path,
        {
            "explain.py": "def explain(image): return image\n",
            "text/explain.py": "def explain(img): return img.alpha\n",
            "text/deeper/tokens.py": "category = 1\npreds = [category]\n",
        },
    )

    assert rivals_used(package) == ["text/deeper/tokens.py: preds", "text/explain.py: img", "text/explain.py: img"]
