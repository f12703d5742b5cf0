"""The documentation: every page is in a list of contents, names all public names, and links are looked at.

Nothing is built here: a workflow does, with warnings as errors.
"""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import camwidget
from docs.links import broken_links, foreign_requests
from docs.sources import gathered, linked
from tests.house.repository import ROOT, planted

DOCS = ROOT / "docs"


def test_every_page_is_in_the_contents_once_and_every_entry_is_a_page(tmp_path: Path) -> None:
    source = gathered(tmp_path)
    contents = re.findall(r"```\{toctree\}\n(.*?)```", (source / "index.md").read_text(), flags=re.DOTALL)
    entries = [line for block in contents for line in block.splitlines() if line and not line.startswith(":")]
    made = {
        path.relative_to(source).with_suffix("").as_posix()
        for ext in ("md", "ipynb")
        for path in source.rglob(f"*.{ext}")
    }

    assert sorted(entries) == sorted(made - {"index"})


def test_links_lead_to_pages_of_the_documentation_or_become_text() -> None:
    text = (
        "[a](../COURSE.md) [b](../exercises/cam/cam.ipynb) [c](02_grad_cam.ipynb) [d](https://example.org) ![e](f.png)"
    )

    assert linked(text, prefix="../") == (
        "[a](../course.md) b [c](../notebooks/02_grad_cam.ipynb) [d](https://example.org) ![e](f.png)"
    )


def test_the_reference_names_every_public_name_at_its_home() -> None:
    named = re.findall(r"^\.\. auto(?:class|function):: (\S+)$", (DOCS / "api.md").read_text(), flags=re.MULTILINE)

    assert sorted(named) == sorted(f"camwidget.{home}.{name}" for name, home in camwidget._HOMES.items())


def test_what_pages_include_is_there_with_its_marks() -> None:
    for page in DOCS.rglob("*.md"):
        for path, options in re.findall(r"```\{include\} (\S+)\n(.*?)```", page.read_text(), flags=re.DOTALL):
            text = (page.parent / path).read_text()
            for mark in re.findall(r':(?:start-after|end-before): "(.+)"', options):
                assert text.count(f"{mark}\n") == 1, f"{page.name}: {mark}"


def test_pages_load_no_script_of_another_host_for_widgets_and_run_nothing() -> None:
    settings = runpy.run_path(str(DOCS / "conf.py"))

    assert settings["nb_ipywidgets_js"] == {}
    assert settings["nb_execution_mode"] == "off"
    assert settings["version"] == camwidget.__version__


@pytest.mark.slow
def test_the_python_examples_of_the_guides_run() -> None:
    pages = sorted(DOCS.rglob("*.md"))
    examples = [
        each for page in pages for each in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)
    ]

    names: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, "docs", "exec"), names)
    assert len(examples) == 3
    assert names["result"].layers


GOOD = {
    "index.html": '<link rel="stylesheet" href="a.css"><a href="b/two.html#here">x</a><a href="https://example.org">y</a>',
    "b/two.html": '<p id="here"></p><a href="../index.html">x</a><a href="#here">y</a><img src="data:,A">',
    "a.css": "p { background: url(a.css) }",
}


@pytest.mark.parametrize(
    ("page", "added", "told"),
    [
        ("index.html", '<a href="gone.html">x</a>', "index.html: gone.html is not there"),
        ("b/two.html", '<a href="two.html#gone">x</a>', "b/two.html: two.html#gone has no such place"),
        ("b/two.html", '<img src="gone.png">', "b/two.html: gone.png is not there"),
        (
            "index.html",
            '<script src="https://example.org/x.js"></script>',
            "index.html fetches https://example.org/x.js",
        ),
        ("index.html", '<img src="//example.org/x.png">', "index.html fetches //example.org/x.png"),
        ("a.css", "@import 'https://example.org/x.css';", "a.css fetches https://example.org/x.css"),
        ("a.css", "p { src: url('//example.org/f.woff') }", "a.css fetches //example.org/f.woff"),
    ],
)
def test_a_link_that_leads_nowhere_and_a_request_to_another_host_are_told(
    page: str, added: str, told: str, tmp_path: Path
) -> None:
    good = planted(tmp_path / "good", GOOD)
    assert [*broken_links(good), *foreign_requests(good)] == []

    bad = planted(tmp_path / "bad", GOOD | {page: GOOD[page] + added})

    assert [*broken_links(bad), *foreign_requests(bad)] == [told]
