"""What a panel is in a notebook: live, still where its widgets are missing, asleep once its cell is run again."""

from typing import Any

import ipywidgets
from IPython.display import publish_display_data

from camwidget.errors import CamwidgetError, three_parts
from camwidget.given import told
from camwidget.panel.export import page_html
from camwidget.panel.rerun import let_show_again, note_shown, running_cell
from camwidget.panel.still import reopened_html
from camwidget.panel.view import ToldView
from camwidget.panel.whole import WholePanel


class ShownPanel(ipywidgets.VBox):
    """A box around one view, and what a notebook keeps of it."""

    view: ToldView

    def __init__(self, children: Any = ()) -> None:
        super().__init__(children)
        self.add_class("camw-panel")

    def close(self) -> None:
        """Close the panel, as a host does with what it no longer shows; it wakes when it is shown again."""
        super().close()
        let_show_again(self)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live panel; an older one that the same cell showed goes to sleep."""
        note_shown(self, running_cell())
        self._name_code()
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle

    def _ipython_display_(self) -> None:
        """Show the panel, and behind it what a notebook shows that is opened again without its widgets."""
        bundle = self._repr_mimebundle_()
        still = bundle.get("image/jpeg", "")
        _, colab = self.view._repr_mimebundle_() or ({}, {})  # Colab loads widgets in a way of its own, and is told how
        metadata = colab | ({"image/jpeg": {"alt": self._alt()}} if still else {})
        publish_display_data(bundle, metadata)
        publish_display_data({"text/html": reopened_html(bundle, alt=self._alt())})

    def _display_(self) -> WholePanel:
        """What marimo shows: it asks for this first, and draws anywidgets, but none of the stock widgets around one."""
        self._name_code()
        return WholePanel(self)

    def _name_code(self) -> None:
        """Write the code of what is shown with the panel's own name: by now it has one, if ever."""

    def as_html(self, *, title: str | None = None) -> str:
        """Return the panel as it is as the text of one page, which `save_html` writes into a file.

        Args:
            title: of the page; None for what the panel shows.

        Raises:
            CamwidgetError: `title` is no text.
        """
        return page_html(self.view, title=self._title_or(title))

    def _title_or(self, title: Any) -> str:
        """The title that was given, or what the panel shows if none was."""
        if title is not None and not isinstance(title, str):
            raise CamwidgetError(three_parts(f"title is {told(title)}", "It is a text", "Leave it out"))
        return title or self._title()

    def _title(self) -> str:
        """What the panel shows, in a line."""
        raise NotImplementedError

    def _alt(self) -> str:
        """The same for those who do not see the still picture."""
        raise NotImplementedError
