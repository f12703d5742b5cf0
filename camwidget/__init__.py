"""Slide across the layers and classes of an image classifier and see what each says about a picture.

    import camwidget as cw
    panel = cw.CamPanel(cw.demo_learner(), cw.demo_image("cat"))

Names are looked up on first use, so that importing camwidget loads neither PyTorch nor a widget library.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from camwidget.course.checking import check
    from camwidget.demo import demo_image, demo_images, demo_learner, pets_learner
    from camwidget.either import explain
    from camwidget.explain import Explanation
    from camwidget.hooks import Hook, HookBwd, Hooks
    from camwidget.panel import CamPanel
    from camwidget.text.learner import text_learner
    from camwidget.text.panel import TextCamPanel
    from camwidget.text.reviews import load_reviews

__version__ = "0.1.0"

__all__ = [
    "CamPanel",
    "Explanation",
    "Hook",
    "HookBwd",
    "Hooks",
    "TextCamPanel",
    "check",
    "demo_image",
    "demo_images",
    "demo_learner",
    "explain",
    "load_reviews",
    "pets_learner",
    "text_learner",
]

_HOMES = {
    "CamPanel": "panel",
    "Explanation": "explain",
    "Hook": "hooks",
    "HookBwd": "hooks",
    "Hooks": "hooks",
    "TextCamPanel": "text.panel",
    "check": "course.checking",
    "demo_image": "demo",
    "demo_images": "demo",
    "demo_learner": "demo",
    "explain": "either",
    "load_reviews": "text.reviews",
    "pets_learner": "demo",
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
    value = getattr(importlib.import_module(f"camwidget.{_HOMES[name]}"), name)
    globals()[name] = value  # so that the next look-up is an ordinary one
    return value


def __dir__() -> list[str]:
    """The public names, for tab completion."""
    return sorted([*__all__, "__version__"])


class _Face(ModuleType):
    """This package's own type: keeps a submodule from taking the place of a public name."""

    def __setattr__(self, name: str, value: Any) -> None:
        # When camwidget.explain has been imported, by whomever, Python sets the package's attribute `explain` to that
        # module, and `cw.explain(...)` would then call a module. `from camwidget.explain import ...` works either way.
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
