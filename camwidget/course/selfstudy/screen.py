"""What the command shows: wrapped and in colour on a terminal, one line per thing and plain where it goes into a file.

rich looks whether it is a terminal, how wide it is, and whether `NO_COLOR` is set.
"""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from camwidget.course.selfstudy.progress import DONE, OPEN, WRONG, ItemProgress, NotebookProgress

_STYLES = {DONE: "green", OPEN: "yellow", WRONG: "red"}


class Screen:
    """Where the command's words go. Made anew for each command, so that it sees where its output goes now."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, markup=False, emoji=False)
        self._err = Console(highlight=False, markup=False, emoji=False, stderr=True)

    def say(self, text: str, *, style: str = "", indent: int = 0) -> None:
        """Show a paragraph.

        Args:
            text: without an end of line.
            style: as rich names it, such as "bold".
            indent: columns at the left of every line of it.
        """
        self._show(self._out, text, style, indent)

    def complain(self, text: str) -> None:
        """Show what went wrong, on the stream for errors."""
        self._show(self._err, f"camwidget: {text}", "red", 0)

    @property
    def watched(self) -> bool:
        """Whether somebody looks at a terminal while the command runs."""
        return self._err.is_terminal

    def notice(self, text: str) -> None:
        """Show what goes on, on the stream for errors: it is no part of what was asked for."""
        self._show(self._err, text, "dim", 0)

    def markdown(self, text: str) -> None:
        """Show a text in Markdown: set as such on a terminal, as it is elsewhere."""
        if not self._out.is_terminal:
            self.say(text)
            return
        # Imported here: it takes longer than everything else that the command shows.
        from rich.markdown import Markdown  # noqa: PLC0415 (see above)

        self._out.print(Markdown(text))

    def progress(self, progress: NotebookProgress, *, items: Sequence[ItemProgress] | None = None) -> None:
        """Show how far a notebook is.

        Args:
            progress: what the check found.
            items: only these of its items; None for all.
        """
        self.say(str(progress.path), style="bold")
        width = max((len(item.item) for item in progress.items), default=0)
        for item in progress.items if items is None else items:
            points = f"{item.points:g} of {item.max_points:g}"
            line = Text.assemble(
                "  ", (f"{item.state:<11}", _STYLES[item.state]), f"  {item.item:<{width}}  {points:>8}"
            )
            if self._out.is_terminal:
                self._out.print(line)
                if item.reason:
                    self.say(item.reason, indent=6)
            else:
                self.say(f"{line.plain}  {item.reason}".rstrip())
        for sentence in progress.broken:
            self.say(sentence, style="red", indent=2)
        self.say(progress.summary, indent=2)

    @staticmethod
    def _show(console: Console, text: str, style: str, indent: int) -> None:
        if console.is_terminal:
            console.print(Padding(Text(text, style=style), (0, 0, 0, indent)))
        else:
            console.print(Text(" " * indent + text), soft_wrap=True)
        console.file.flush()  # so that a pipe shows each notebook when it is done, not all at the end


def forgiving() -> None:
    """Let a stream that cannot write every sign put a question mark in its place, rather than stop the command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
