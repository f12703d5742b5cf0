"""In a notebook a line says what is being loaded, and goes; elsewhere nothing is shown."""

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import run_kernel

from camwidget.loading import loading
from tests.patience import HANGING_S

SLOW = "import sys, types\nfrom camwidget.loading import loading\n"


@pytest.fixture(scope="module")
def kernel() -> Iterator[BlockingKernelClient]:
    with run_kernel() as client:
        yield client


def shown(kernel: BlockingKernelClient, code: str) -> list[tuple[str, Any]]:
    """What a cell shows, in its order, and what becomes of it."""
    kinds = {"display_data", "update_display_data", "stream", "error"}
    found: list[tuple[str, Any]] = []

    def keep(message: dict[str, Any]) -> None:
        if message["msg_type"] in kinds:
            found.append((message["msg_type"], message["content"].get("data", message["content"])))

    kernel.execute_interactive(code, timeout=HANGING_S, output_hook=keep)
    return found


def test_a_line_is_there_before_the_block_ends_and_goes_with_its_end(kernel: BlockingKernelClient) -> None:
    found = shown(kernel, SLOW + "with loading('a slow library', 'no_such'):\n    print('loaded')")

    line = {"text/plain": "camwidget loads a slow library: some seconds, once in a kernel."}
    assert found[0] == ("display_data", line)
    assert ("stream", {"name": "stdout", "text": "loaded\n"}) in found[1:]
    assert ("update_display_data", {}) in found[1:]


def test_the_line_goes_where_the_import_fails_too(kernel: BlockingKernelClient) -> None:
    found = shown(kernel, SLOW + "with loading('x', 'no_such'):\n    import no_such")

    assert [kind for kind, _ in found] == ["display_data", "update_display_data", "error"]


def test_what_is_loaded_already_needs_no_line(kernel: BlockingKernelClient) -> None:
    assert shown(kernel, SLOW + "with loading('x', 'sys', 'types'):\n    pass") == []


def test_a_public_name_that_needs_pytorch_says_so_and_reviews_do_not(kernel: BlockingKernelClient) -> None:
    assert shown(kernel, "import camwidget\ncamwidget.load_reviews") == []

    found = shown(kernel, "camwidget.Hook")

    assert [kind for kind, _ in found] == ["display_data", "update_display_data"]
    assert "PyTorch" in found[0][1]["text/plain"]


def test_in_a_terminal_nothing_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = ModuleType("IPython")
    terminal.get_ipython = lambda: SimpleNamespace()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", terminal)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace())

    with loading("x", "no_such"):
        pass

    assert capsys.readouterr().out == ""
