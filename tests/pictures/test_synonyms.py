"""Other words for classes."""

from camwidget.pictures.demo import demo_learner
from camwidget.pictures.synonyms import synonyms_of


def test_the_classes_of_imagenet_have_other_words_and_no_others_do() -> None:
    names = list(demo_learner("imagenet").dls.vocab)

    words = synonyms_of(names)

    assert len(words) == 1000
    assert words[281] == "tabby, tabby cat"
    assert "kraken" not in words[281]
    assert synonyms_of(names[:999]) == []
    assert synonyms_of([f"class {index}" for index in range(1000)]) == []
