"""A released exercise in a real JupyterLab: nbgrader's own Validate button."""

import shutil
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import jupyterlab, new_page, open_notebook
from tests.house.repository import ROOT
from tests.patience import HANGING_S

pytestmark = pytest.mark.browser

SOLVED = {"keepdim-error-answer": 'what_happens = "c"', "keepdim-meets-answer": 'what_it_meets = "a"'}


def test_the_validate_button_names_what_is_wrong_and_not_what_is_right(browser: Browser, tmp_path: Path) -> None:
    notebook = nbformat.read(ROOT / "exercises" / "keepdim" / "keepdim.ipynb", as_version=4)
    wanted = [item for answer in SOLVED for item in (answer, answer.replace("answer", "check"))]
    notebook.cells = [cell for cell in notebook.cells if cell.id in ["setup-1", *wanted]]
    for cell in notebook.cells:
        cell.source = SOLVED.get(cell.id, cell.source)
    nbformat.write(notebook, tmp_path / "keepdim.ipynb")
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)

    with jupyterlab(tmp_path) as address:
        page = new_page(browser, width=1300, height=900)
        open_notebook(page, address, "keepdim.ipynb")
        page.locator(".validate-button").click()
        results = page.locator(".jp-Dialog", has_text="Validation Results")
        expect(results).to_be_visible(timeout=1000 * HANGING_S)

        expect(results).to_contain_text('cw.check("keepdim.meets", what_it_meets).score()')
        expect(results).not_to_contain_text("keepdim.error")
        expect(results).not_to_contain_text("Traceback")
        page.close()
