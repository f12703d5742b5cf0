"""A cell that is run again: the panel that it showed before gives its memory back.

ipywidgets keeps every widget alive until it is closed, here and in the browser, and nobody closes one. When a cell
shows a panel and is run again, its old output is gone, so what it had shown goes to sleep: its widgets are closed. A
panel that is still shown by another cell stays awake, and showing a sleeping one wakes it.

After fifty reruns 33 MB more are in use in the page, and no widget more in the kernel:
`python -m tests.benchmarks.rerun --rounds 50` prints both. The sleeping panels themselves, 1.4 MB each, stay in
IPython's `Out` if they were the last line of the cell; `display(panel)` leaves none there, and `%reset out` lets them
go.
"""

import weakref
from collections.abc import Iterator
from typing import Any

import ipywidgets

_shown: dict[str, weakref.WeakKeyDictionary[ipywidgets.Widget, str]] = {}  # by cell: what it showed, and in which run


def running_cell() -> tuple[str, str] | None:
    """Return what identifies the cell that runs now, and this run of it; None where there is no notebook to tell."""
    from IPython.core.getipython import get_ipython  # noqa: PLC0415 (only a notebook needs it, and has it)

    parent = getattr(get_ipython(), "parent_header", None)
    if not isinstance(parent, dict) or parent.get("header", {}).get("msg_type") != "execute_request":
        return None
    cell = parent.get("metadata", {}).get("cellId")
    return (str(cell), str(parent["header"].get("msg_id"))) if cell else None


def note_shown(panel: ipywidgets.Widget, cell: tuple[str, str] | None) -> None:
    """Take note that a panel is shown by a cell, and put to sleep what only an earlier run of that cell had shown.

    Args:
        panel: the panel.
        cell: see `running_cell`.
    """
    wake(panel)
    if cell is None:
        return
    name, run = cell
    here = _shown.setdefault(name, weakref.WeakKeyDictionary())
    here[panel] = run
    for other in [each for each, when in here.items() if when != run]:
        del here[other]
        if not any(other in panels for panels in _shown.values()):
            sleep(other)


def sleep(panel: ipywidgets.Widget) -> None:
    """Close all widgets of a panel; it keeps its state."""
    for widget in _inside(panel):
        widget.close()
        let_show_again(widget)


def let_show_again(widget: ipywidgets.Widget) -> None:
    """Take away what closing has put in place of the widget's way to be shown: None, for good."""
    vars(widget).pop("_repr_mimebundle_", None)


def wake(panel: ipywidgets.Widget) -> None:
    """Open all widgets of a panel that sleeps."""
    for widget in reversed(list(_inside(panel))):  # what is inside first: the others name it
        if widget.comm is None:
            let_show_again(widget)
            widget.open()


def _inside(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """A widget and all that belong to it: children, layouts, styles."""
    yield widget
    for name in widget.keys:
        held: Any = widget._trait_values.get(name)
        for each in held if isinstance(held, tuple) else (held,):
            if isinstance(each, ipywidgets.Widget):
                yield from _inside(each)
