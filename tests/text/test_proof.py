"""The packaged model's word maps, on sentences of our own: the same measurements as `tests.text.proof`."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from camwidget.text.learner import text_learner
from tests.text.proof import (
    Measured,
    completeness,
    in_double_precision,
    measured,
    probability_lost,
    rank_correlation_with_leaving_out,
    rank_correlation_with_ratings,
    report,
    without,
)
from tests.text.sentences import DISPLEASED, PLEASED


@pytest.fixture(scope="module")
def learner() -> Any:
    return text_learner()


@pytest.fixture(scope="module")
def results(learner: Any) -> list[Measured]:
    return measured(in_double_precision(learner), PLEASED + DISPLEASED)


def test_words_and_bias_are_the_logit_and_cam_is_grad_cam(results: list[Measured]) -> None:
    gap, difference = completeness(results)

    assert gap < 1e-13
    assert difference < 1e-13


def test_in_single_precision_they_are_so_to_its_rounding(learner: Any) -> None:
    gap, difference = completeness(measured(learner, PLEASED[:4]))

    assert gap < 1e-5
    assert difference < 1e-5


def test_the_model_says_what_the_writer_meant(results: list[Measured]) -> None:
    said = [int(each.found["cam"].logits.argmax()) for each in results]
    meant = [1] * len(PLEASED) + [0] * len(DISPLEASED)

    assert np.mean(np.equal(said, meant)) >= 0.75  # less, and the next tests would be about a model that reads nothing


def test_every_map_agrees_better_with_leaving_words_out_than_chance_does(results: list[Measured]) -> None:
    found = rank_correlation_with_leaving_out(results)

    assert found["leave one out"] == pytest.approx(1)
    assert abs(found["random"]) < 0.15
    assert found["gradient times input"] > 0.6  # sharp: each word for itself
    for way in ("CAM at conv3", "Grad-CAM at conv3", "HiResCAM at conv1"):
        assert found[way] > 0.25  # blurred by three convolutions, over three words to either side
        assert found[way] < found["gradient times input"]


@pytest.mark.parametrize("way", ["CAM at conv3", "gradient times input", "leave one out"])
def test_the_five_top_words_carry_more_of_the_probability_than_five_random_ones(
    learner: Any, results: list[Measured], way: str
) -> None:
    learner = in_double_precision(learner)

    lost, by_chance = probability_lost(learner, results, way), probability_lost(learner, results, "random")

    assert lost.mean() > by_chance.mean() + 0.05
    assert stats.wilcoxon(lost, by_chance, alternative="greater").pvalue < 0.01


def test_words_that_people_rate_high_speak_for_the_positive_class(results: list[Measured]) -> None:
    words, found = rank_correlation_with_ratings(results)

    assert words > 50
    assert found["CAM at conv3"] > 0.3
    assert found["gradient times input"] > 0.3
    assert abs(found["random"]) < 0.3


def test_the_report_has_a_line_for_every_figure(learner: Any) -> None:
    lines = list(report(learner, PLEASED[:6], reviews=5))

    assert lines[0].startswith("6 held-out reviews")
    assert sum("gradient times input" in line for line in lines) == 3
    assert any("5 reviews, paired" in line for line in lines)


def test_a_text_without_some_words_keeps_all_other_characters(results: list[Measured]) -> None:
    found = results[0].found["cam"]
    first, last = found.words[0], found.words[-1]

    shorter = without(found, [0, len(found.words) - 1])

    assert shorter == found.text[first.end : last.start] + found.text[last.end :]
