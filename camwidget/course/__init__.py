"""The course: checks that answer at once, hints, and the command for self-study."""

from camwidget.course.checking import check
from camwidget.course.facts import Fact, Report

__all__ = ["Fact", "Report", "check"]
