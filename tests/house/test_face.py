"""The public names, and that importing them is cheap."""

import json
import pkgutil

import pytest

import camwidget
from tests.house.repository import run_code

PUBLIC = [
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
HEAVY = [
    "PIL",
    "anywidget",
    "fastai",
    "ipywidgets",
    "jaxtyping",
    "matplotlib",
    "numpy",
    "pandas",
    "timm",
    "torch",
    "torchvision",
]


def loaded_by(statement: str) -> list[str]:
    """Which of the heavy libraries a fresh interpreter has loaded after `statement`."""
    return json.loads(
        run_code(f"import json, sys\n{statement}\nprint(json.dumps([n for n in {HEAVY} if n in sys.modules]))")
    )


def test_the_public_names_are_these_and_no_others() -> None:
    assert camwidget.__all__ == PUBLIC
    assert dir(camwidget) == sorted([*PUBLIC, "__version__"])


def test_importing_the_package_loads_no_heavy_library() -> None:
    assert loaded_by("import camwidget") == []


def test_the_probe_for_heavy_libraries_can_fail() -> None:
    assert "numpy" in loaded_by("import camwidget, numpy")


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves_to_a_documented_thing(name: str) -> None:
    thing = getattr(camwidget, name)

    assert callable(thing)
    assert thing.__doc__


@pytest.mark.slow
def test_the_function_explain_is_not_replaced_by_its_module() -> None:
    printed = run_code(
        "import camwidget, camwidget.dispatch, camwidget.pictures.explain, camwidget.course.check\n"
        "print(type(camwidget.explain).__name__, type(camwidget.check).__name__)"
    )
    entries = {entry.name for entry in pkgutil.iter_modules(camwidget.__path__)}

    assert printed == "function function"
    assert entries.isdisjoint(PUBLIC)  # Python would put such a module in the place of the public name


def test_a_mistyped_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"'CamPanle'\. Did you mean 'CamPanel' or 'TextCamPanel'\?"):
        camwidget.CamPanle  # noqa: B018 (looking the name up is the point)


def test_a_name_unlike_any_other_is_answered_with_all_names() -> None:
    with pytest.raises(AttributeError, match=r"CamPanel, Explanation.*pets_learner"):
        camwidget.zzz  # noqa: B018 (looking the name up is the point)


def test_every_home_of_a_public_name_is_what_a_type_checker_reads() -> None:
    assert list(camwidget._HOMES) == camwidget.__all__
