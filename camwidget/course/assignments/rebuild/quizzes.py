"""The options of the quizzes of `rebuild`: there is none, it is judged by its result."""

from collections.abc import Mapping

from camwidget.course.items import Option

OPTIONS: Mapping[str, Mapping[str, Option]] = {}
