"""`explain_texts`: what each word of several texts contributes."""

from collections.abc import Sequence
from typing import Any, SupportsIndex, Unpack

from camwidget.errors import TextError, a_kind, three_parts
from camwidget.maps.arguments import MOST_PROBABLE, Asked, Explainable, listed
from camwidget.maps.choice import refuse_other_count
from camwidget.maps.results import Explanations
from camwidget.text.explain import explain_text
from camwidget.text.result import TextExplanation

ONE_BY_ONE = (
    "Texts are explained one by one: they differ in length, and what would fill the shorter ones up means something to "
    "most networks."
)
"""Why texts are not put into one batch."""


def explain_texts(
    model: Explainable,
    texts: Any,
    *,
    method: str = "cam",
    true_classes: Sequence[SupportsIndex | str] | None = None,
    **asked: Unpack[Asked],
) -> Explanations[TextExplanation]:
    """Return what one method says about several texts, one after the other.

    Args:
        model: see `explain_text`.
        texts: several of them.
        method: see `explain_text`.
        true_classes: a class for each text, by index or name: each has a map of it, besides those of `target_classes`.
        **asked: see `explain_text`; `target_classes=None` is the most probable class of each text.

    Raises:
        ClassError: there is no such class, or not as many true classes as texts.
        TextError: there is no text, or one that cannot be explained.
        CamwidgetError: see `explain_text`.
    """
    several = [] if isinstance(texts, str) or not hasattr(texts, "__iter__") else list(texts)
    if not several:
        given = f"texts is {a_kind(texts)}" if not hasattr(texts, "__len__") or len(texts) else "There is no text"
        raise TextError(three_parts(given, "Several texts are given as a list", "For one text use explain"))
    if true_classes is not None:
        refuse_other_count(true_classes, len(several), what="text")
    classes = listed(asked.get("target_classes"))
    results = []
    for number, text in enumerate(several):
        targets = [MOST_PROBABLE] if classes is None else list(classes)
        targets += [] if true_classes is None else [true_classes[number]]
        given_too: dict[str, Any] = {**asked, "target_classes": targets}
        results.append(explain_text(model, text, method=method, **given_too))
    return Explanations(tuple(results), one_by_one=ONE_BY_ONE)
