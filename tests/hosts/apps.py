"""How each host is started, and what it is given to show: the same three panels."""

from collections.abc import Callable
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

from tests.browser.lab import write_notebook

PICTURE = """\
import torch
import camwidget as cw
from torch import nn
_ = torch.manual_seed(1)
net = nn.Sequential(nn.Sequential(nn.Conv2d(3, 6, 5, stride=4), nn.ReLU(), nn.Conv2d(6, 5, 3, stride=2), nn.ReLU()),
    nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 12))).eval()
kinds = [f"kind {letter}" for letter in "abcdefghijkl"]
panel = cw.CamPanel(net, cw.demo_image("coffee"), class_names=kinds, methods=("cam", "grad_cam", "score_cam"))
"""
WORDS = """\
words = cw.TextCamPanel(cw.text_learner(), "Not bad at all, and never boring.")
"""
GALLERY = """\
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.randn(30, 3, 48, 72), torch.arange(30) % 12)
found = cw.find_mistakes(net, DataLoader(data, batch_size=8), class_names=kinds, progress=False)
gallery = cw.MistakesPanel(found)
"""


class Host(NamedTuple):
    """A host of the panels."""

    package: str
    """What to install."""
    start: Callable[..., list[str]]
    """From a folder, `dark=` and `port=` to the arguments of python; writes into the folder what is shown."""
    opens: bool = True
    """Whether a picture of the gallery opens below it; marimo makes no view outside of a running cell."""
    says: tuple[str, ...] = ()
    """What is in errors of the host's own, which it logs without any panel as well."""


def _marimo(folder: Path, *, dark: bool, port: int, mode: str = "run") -> list[str]:
    # where it is edited, cells run by themselves only if the user's own settings, not the notebook's, ask for that
    settings = folder / "marimo" / "marimo.toml"
    settings.parent.mkdir()
    settings.write_text("[runtime]\nauto_instantiate = true\n")
    theme = f'# /// script\n# [tool.marimo.display]\n# theme = "{"dark" if dark else "light"}"\n# ///\n'
    cells = [
        ("", PICTURE + "panel", "cw, kinds, net, panel, torch"),
        ("cw", WORDS + "words", "words,"),
        ("cw, kinds, net, torch", GALLERY + "gallery", "gallery,"),
    ]
    code = "\n".join(
        f"@app.cell\ndef _({takes}):\n{indent(body, '    ')}\n    return {gives}\n" for takes, body, gives in cells
    )
    (folder / "app.py").write_text(f'{theme}import marimo\n\napp = marimo.App(width="full")\n\n{code}')
    return ["-m", "marimo", mode, "app.py", "--headless", "--no-token", "--host=127.0.0.1", f"--port={port}"]


def _marimo_edit(folder: Path, *, dark: bool, port: int) -> list[str]:
    return _marimo(folder, dark=dark, port=port, mode="edit")


def _voila(folder: Path, *, dark: bool, port: int) -> list[str]:
    write_notebook(folder / "app.ipynb", [PICTURE + "panel", WORDS + "words", GALLERY + "gallery"])
    theme = "dark" if dark else "light"
    return ["-m", "voila", "app.ipynb", "--no-browser", f"--theme={theme}", "--Voila.ip=127.0.0.1", f"--port={port}"]


def _solara(folder: Path, *, dark: bool, port: int) -> list[str]:
    # within the component: what is made outside of it is closed before anybody sees it
    made = indent(f"{PICTURE}{WORDS}{GALLERY}return panel, words, gallery\n", "    ")
    shown = "import solara\n\n@solara.component\ndef Page():\n    for each in solara.use_memo(made, []):\n"
    shown += "        solara.display(each)\n"
    (folder / "app.py").write_text(f"def made():\n{made}\n{shown}")
    theme = "dark" if dark else "light"
    arguments = ["--no-open", "--host=127.0.0.1", f"--port={port}", f"--theme-variant={theme}", "--production"]
    return ["-m", "solara", "run", "app.py", *arguments]


HOSTS = {
    "marimo": Host("marimo", _marimo, opens=False),
    "marimo-edit": Host("marimo", _marimo_edit, opens=False),
    # icons of another machine, and what is installed for JupyterLab but cannot run in a page
    "voila": Host("voila", _voila, says=("cdn.jsdelivr.net", "@jupyter-notebook/lab-extension", "@jupyter/nbgrader")),
    "solara": Host("solara", _solara),
}
