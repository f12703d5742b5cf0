"""What import-linter cannot see: names inside a module, and which modules there are."""

import ast

from tests.house.repository import ROOT

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
    rivals = {"alpha", "mask", "class_idx", "category", "fmap", "fmaps", "img", "pic", "cmap", "palette", "preds"}
    # `alpha` is also what Pillow and matplotlib call opacity, as a keyword or an attribute; both are theirs to name.

    found = {
        f"{path.name}: {name}"
        for path in sorted(PACKAGE.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        for name in [node.arg if isinstance(node, ast.arg) else node.id if isinstance(node, ast.Name) else ""]
        if name in rivals
    }

    assert not found
