"""Slide across the layers and classes of an image classifier and see what each says about a picture.

    import camwidget as cw
    panel = cw.CamPanel(cw.demo_learner(), cw.demo_image("cat"))

Names are looked up on first use, so that importing camwidget loads neither PyTorch nor a widget library.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from camwidget.course.check import check
    from camwidget.dispatch import explain, explain_batch, load
    from camwidget.hooks.hook import Hook, HookBwd, Hooks
    from camwidget.mistakes.demo import demo_dataset, demo_mistakes_learner
    from camwidget.mistakes.find import find_mistakes
    from camwidget.mistakes.found import Found
    from camwidget.mistakes.groups import group_maps
    from camwidget.mistakes.hide import hide_place
    from camwidget.panel.mistakes import MistakesPanel
    from camwidget.panel.picture import CamPanel
    from camwidget.panel.text import TextCamPanel
    from camwidget.panel.top_losses import plot_top_losses
    from camwidget.pictures.demo import demo_image, demo_images, demo_learner, pets_learner
    from camwidget.pictures.result import Explanation
    from camwidget.text.learner import text_learner
    from camwidget.text.reviews import load_reviews

__version__ = "0.1.0"

__all__ = [
    "CamPanel",
    "Explanation",
    "Found",
    "Hook",
    "HookBwd",
    "Hooks",
    "MistakesPanel",
    "TextCamPanel",
    "check",
    "demo_dataset",
    "demo_image",
    "demo_images",
    "demo_learner",
    "demo_mistakes_learner",
    "explain",
    "explain_batch",
    "find_mistakes",
    "group_maps",
    "hide_place",
    "load",
    "load_reviews",
    "pets_learner",
    "plot_top_losses",
    "text_learner",
]

_HOMES = {
    "CamPanel": "panel.picture",
    "Explanation": "pictures.result",
    "Found": "mistakes.found",
    "Hook": "hooks.hook",
    "HookBwd": "hooks.hook",
    "Hooks": "hooks.hook",
    "MistakesPanel": "panel.mistakes",
    "TextCamPanel": "panel.text",
    "check": "course.check",
    "demo_dataset": "mistakes.demo",
    "demo_image": "pictures.demo",
    "demo_images": "pictures.demo",
    "demo_learner": "pictures.demo",
    "demo_mistakes_learner": "mistakes.demo",
    "explain": "dispatch",
    "explain_batch": "dispatch",
    "find_mistakes": "mistakes.find",
    "group_maps": "mistakes.groups",
    "hide_place": "mistakes.hide",
    "load": "dispatch",
    "load_reviews": "text.reviews",
    "pets_learner": "pictures.demo",
    "plot_top_losses": "panel.top_losses",
    "text_learner": "text.learner",
}
"""The module each public name lives in."""


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use (PEP 562)."""
    if name not in _HOMES:
        # Imported here: an ordinary import needs no error text. The wording starts as Python's own does, because
        # `import camwidget.<module>` and `hasattr` expect an AttributeError and readers expect this sentence.
        from camwidget.errors import nearest  # noqa: PLC0415 (see above)

        close = nearest(name, __all__)
        hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else f" It has {', '.join(__all__)}."
        raise AttributeError(f"module 'camwidget' has no attribute {name!r}.{hint}", name=name)
    from camwidget.loading import loading  # noqa: PLC0415 (an ordinary import needs no text on what it loads either)

    with loading("PyTorch", *(() if name == "load_reviews" else ("torch",))):
        value = getattr(importlib.import_module(f"camwidget.{_HOMES[name]}"), name)
    globals()[name] = value  # so that the next look-up is an ordinary one
    return value


def __dir__() -> list[str]:
    """The public names, for tab completion."""
    return sorted([*__all__, "__version__"])
