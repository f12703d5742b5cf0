"""What a check reports: facts, each worth points. A report shows itself as text and as a table."""

import html
import re
from dataclasses import asdict, dataclass
from typing import Any

from camwidget.errors import clipped

REPORT_MIME = "application/vnd.camwidget.report+json"
"""Under this key a notebook's output carries the report for programs that read the notebook."""

LONGEST_VALUE = 400
"""Characters shown of anything that an answer returned or printed."""
LONGEST_STOP = 1000
"""Characters shown of why a check ended early: the call, the error and its line, and last the likely cause."""

_STYLE = """
<style>
.camw-report { color: var(--jp-ui-font-color1, #1b1b1b); font-family: var(--jp-ui-font-family, sans-serif);
  font-size: 13px; max-width: 52rem; margin: 4px 0; }
section.camw-report.camw-report h4 { margin: 0 0 4px; font-size: 14px; font-weight: 600; line-height: 1.35; }
section.camw-report.camw-report ul { list-style: none; margin: 0; padding: 0; }
.camw-report li { padding: 4px 0 4px 1.7em; text-indent: -1.7em; border-top: 1px solid var(--jp-border-color2, #d0d0d0);
  overflow-wrap: anywhere; }
.camw-report li > * { text-indent: 0; }
.camw-report .camw-mark { display: inline-block; width: 1.7em; font-weight: 700; }
.camw-report .camw-right .camw-mark { color: var(--jp-success-color0, #1b5e20); }
.camw-report .camw-wrong .camw-mark { color: var(--jp-error-color0, #b71c1c); }
.camw-report dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 1px 10px; margin: 2px 0 2px; }
/* JupyterLab has rules of its own for lists, and floats the next two and makes them narrow; these are more specific. */
.camw-report dl dt, .camw-report dl dd { float: none; width: auto; margin: 0; padding: 0; overflow-wrap: anywhere; }
.camw-report dl dt { color: var(--jp-ui-font-color2, #555); font-weight: normal; white-space: nowrap; }
.camw-report code, .camw-report pre { font-family: var(--jp-code-font-family, monospace); font-size: 12px;
  white-space: pre-wrap; background: none; color: inherit; padding: 0; }
.camw-report details pre { margin: 6px 0; padding: 6px 8px; border-left: 3px solid var(--jp-border-color2, #d0d0d0); }
.camw-report summary { cursor: pointer; width: fit-content; margin-top: 4px; }
.camw-report p { margin: 4px 0; white-space: pre-line; }
</style>
"""


_CODE = re.compile("`([^`]+)`")
_CODE_ROWS = ("called", "expected", "got")


@dataclass(frozen=True)
class Fact:
    """One thing that is true of an answer, or is not yet."""

    says: str
    """The fact as a sentence without its full stop, such as "the map has one value per position"."""
    points: int
    """What it is worth."""
    passed: bool
    """Whether it held every time it was tried."""
    tried: bool = True
    """False if an earlier failure left nothing to try."""
    called: str = ""
    """The call or the question, as one would type it."""
    expected: str = ""
    """What was expected, in short."""
    got: str = ""
    """What came, in short."""
    likely: str = ""
    """The likely cause, or what to look at."""
    vague: bool = False
    """Whether `likely` only says where to look, because no known mistake, or more than one, gives this."""

    @property
    def mark(self) -> str:
        """A sign for the outcome."""
        return "✓" if self.passed else "✗" if self.tried else "·"

    @property
    def line(self) -> str:
        """Sentence, points and outcome."""
        not_passed = "not yet" if self.tried else "not looked at, because of what failed before"
        return f"{self.says} ({self.points:g}): {'right' if self.passed else not_passed}"

    def rows(self, *, hidden: bool) -> list[tuple[str, str]]:
        """Return heading and text of what there is to say if the fact does not hold.

        Args:
            hidden: leave out calls and values.
        """
        if self.passed or not self.tried:
            return []
        rows = [("why", self.likely)]
        if not hidden:
            rows = [("called", self.called), ("expected", self.expected), ("got", self.got), ("likely", self.likely)]
        return [(heading, clipped(text, longest=LONGEST_VALUE)) for heading, text in rows if text]


@dataclass(frozen=True)
class Report:
    """The result of one check. As a cell's last line it shows itself as a table."""

    item: str
    """Name of the item, such as "hooks.q5"."""
    title: str
    """What the item is about."""
    facts: tuple[Fact, ...]
    """In the item's order."""
    started: bool = True
    """False if there is no answer yet."""
    stopped: str = ""
    """Why the check ended early: the answer raised, took too long, or returned nothing; empty otherwise."""
    note: str = ""
    """A sentence worth reading whatever the outcome, such as the reason for a quiz option."""
    printed: str = ""
    """What the answer printed or warned while it was checked; it costs nothing."""
    hidden: bool = False
    """Whether these are a teacher's hidden checks; calls and values are then not shown."""
    ways: tuple[str, ...] = ()
    """Beside a right answer, ways to write it, as code."""

    @property
    def points(self) -> float:
        """Points earned: those of the facts that hold."""
        return float(sum(fact.points for fact in self.facts if fact.passed))

    @property
    def max_points(self) -> float:
        """Points there are."""
        return float(sum(fact.points for fact in self.facts))

    @property
    def right(self) -> bool:
        """Whether every fact holds."""
        return all(fact.passed for fact in self.facts)

    def score(self) -> float:
        """Show the report and return the points: the last line of a graded cell."""
        # Imported here: only a notebook has it, and it is not needed to read a report.
        from IPython.display import display  # noqa: PLC0415 (see above)

        display(self)
        return self.points

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": as_text(self), "text/html": as_html(self), REPORT_MIME: self.as_dict()}

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        values = asdict(self)
        return {**values, "points": self.points, "max_points": self.max_points, "right": self.right}


def headline(report: Report) -> str:
    """Return item, title and outcome in one line."""
    outcome = "not started"
    if report.started:
        right = "right" if report.right else "not yet right"
        outcome = f"{right}, {report.points:g} of {report.max_points:g} points"
    # A question ends with its own mark; a colon after it would be one too many.
    outcome = f" {outcome[0].upper()}{outcome[1:]}" if report.title.endswith("?") else f": {outcome}"
    return f"{report.item} · {report.title}{outcome}"


def as_text(report: Report) -> str:
    """Return the report for a terminal."""
    lines = [headline(report)]
    if report.stopped:
        lines.append(f"  {clipped(report.stopped, longest=LONGEST_STOP)}")
    for fact in report.facts if report.started else ():
        lines.append(f"  {fact.mark} {fact.line}")
        lines += [f"      {heading}: {text}" for heading, text in fact.rows(hidden=report.hidden)]
    lines += [f"  {line}" for line in report.note.splitlines()]
    return "\n".join(lines)


def as_html(report: Report) -> str:
    """Return the report for a notebook: a headline and one entry per fact; a mark and a word tell right from wrong."""
    first = html.escape(headline(report))
    parts = [_STYLE, f'<section class="camw-report" aria-label="{first}">', f"<h4>{first}</h4>"]
    if report.stopped:
        stopped = html.escape(clipped(report.stopped, longest=LONGEST_STOP))
        parts += ["<p>", _CODE.sub(r"<code>\1</code>", stopped), "</p>"]
    if report.started:
        parts += ["<ul>", *(_entry(fact, hidden=report.hidden) for fact in report.facts), "</ul>"]
    if report.note:
        parts.append(f"<p>{html.escape(report.note)}</p>")
    if report.printed:
        printed = html.escape(clipped(report.printed, longest=LONGEST_VALUE))
        parts.append(f"<p>Your code printed (this costs nothing):</p><pre>{printed}</pre>")
    if report.ways:
        ways = "".join(f"<pre>{html.escape(way)}</pre>" for way in report.ways)
        told = f"Compare with ours: {len(report.ways)} ways to write it"
        parts.append(f"<details><summary>{told}</summary>{ways}</details>")
    return "".join([*parts, "</section>"])


def _entry(fact: Fact, *, hidden: bool) -> str:
    kind = "right" if fact.passed else "wrong" if fact.tried else "open"
    cells = [
        (heading, f"<code>{html.escape(text)}</code>" if heading in _CODE_ROWS else html.escape(text))
        for heading, text in fact.rows(hidden=hidden)
    ]
    rows = "".join(f"<dt>{heading}</dt><dd>{cell}</dd>" for heading, cell in cells)
    details = f"<dl>{rows}</dl>" if rows else ""
    mark = f'<span class="camw-mark" aria-hidden="true">{fact.mark}</span>'
    return f'<li class="camw-{kind}">{mark}{html.escape(fact.line)}{details}</li>'
