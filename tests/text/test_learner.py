"""The packaged network, the Learner around it, and its training."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from camwidget.errors import DataError
from camwidget.text.learner import PADDING, ReviewNet, padded, record, review_dls, text_learner, vocabulary
from camwidget.text.reviews import Reviews, example_reviews
from camwidget.text.tokens import Vocabulary
from tests.text import train
from tests.text.sentences import DISPLEASED, PLEASED

SENTENCES = Reviews(tuple(PLEASED + DISPLEASED), (2.0,) * len(PLEASED) + (-2.0,) * len(DISPLEASED))
PACKAGED = train.PACKAGED


def test_the_packaged_files_weigh_at_most_two_megabytes_and_are_those_of_the_record() -> None:
    assert sum(path.stat().st_size for path in PACKAGED.iterdir()) <= 2_000_000
    assert record()["weights sha256"] == hashlib.sha256((PACKAGED / "weights.pt").read_bytes()).hexdigest()


def test_the_record_says_that_the_network_beats_single_words() -> None:
    assert record()["accuracy"] >= record()["baselines with the same data"]["TF-IDF on words"]


def test_the_packaged_network_tells_most_sentences_it_has_never_seen() -> None:
    # Our own sentences. The recorded accuracy is 0.79; three standard deviations of chance below it are allowed.
    room = 3 * (0.79 * 0.21 / len(SENTENCES)) ** 0.5

    assert train.accuracy(text_learner().model, SENTENCES) > record()["accuracy"] - room


def test_the_learner_validates_and_trains_as_fastai_does() -> None:
    learner = text_learner(SENTENCES, pretrained=False)
    before = learner.model.classifier.weight.detach().clone()

    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(1, 1e-2)

    assert len(learner.validate()) == 2
    assert not torch.equal(learner.model.classifier.weight, before)


def test_the_packaged_network_gives_the_same_answer_twice_and_knows_a_printed_apostrophe() -> None:
    network, known = text_learner().model, vocabulary()
    typed, printed = (known.ids(known.tokens(text)) for text in ("It isn't good.", "It isn\u2019t good."))

    assert torch.equal(network(typed), network(typed))
    assert torch.equal(network(typed), network(printed))
    assert network(typed)[0].argmax() == 0


def test_the_learner_names_words_and_classes() -> None:
    words, classes = text_learner().dls.vocab

    assert classes == ["negative", "positive"]
    assert words.tokens("A good film")[1].known
    assert len(words.index) == 7000


def test_padding_changes_no_logit() -> None:
    torch.manual_seed(1)
    network = ReviewNet(vocabulary()).double().eval()
    long, short = (vocabulary().ids(vocabulary().tokens(text)) for text in ("a very good and warm film", "bad film"))

    together = network(padded([(long[0], 1), (short[0], 0)])[0])

    torch.testing.assert_close(together[0], network(long)[0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(together[1], network(short)[0], rtol=1e-12, atol=1e-12)


def test_the_logit_is_the_mean_over_words_of_weight_times_activation_plus_bias() -> None:
    network = ReviewNet(vocabulary()).double().eval()
    ids = vocabulary().ids(vocabulary().tokens("not a good film at all"))
    kept = []
    handle = network.conv3.register_forward_hook(lambda _, __, output: kept.append(output))
    logits = network(ids)
    handle.remove()

    by_word = torch.einsum("ck,bkp->bcp", network.classifier.weight, kept[0])

    torch.testing.assert_close(by_word.mean(dim=2) + network.classifier.bias, logits, rtol=1e-12, atol=1e-12)


def test_a_batch_fills_up_with_padding_at_the_end() -> None:
    ids, labels = padded([(torch.tensor([5, 6, 7]), 1), (torch.tensor([8]), 0)])

    assert ids.tolist() == [[5, 6, 7], [8, PADDING, PADDING]]
    assert labels.tolist() == [1, 0]


def test_a_tenth_of_the_reviews_validates_and_none_is_lost() -> None:
    dls = review_dls(SENTENCES, vocabulary())

    assert len(dls.train_ds) + len(dls.valid_ds) == len(SENTENCES)
    assert len(dls.valid_ds) == len(SENTENCES) // 10


def test_the_split_is_the_same_each_time_and_parts_share_nothing() -> None:
    reviews = Reviews(tuple(f"text {number}" for number in range(40)), tuple([1.0, -1.0] * 20))
    first, second = train.split(reviews), train.split(reviews)

    assert first == second
    assert sorted(first[0].texts + first[1].texts) == sorted(reviews.texts)
    assert len(first[1]) == 6


def test_words_are_those_met_twice_and_reviews_count_three_times() -> None:
    reviews = Reviews(("good good film", "good plot"), (1.0, 1.0))
    others = Reviews(("works fine", "fine works works", "fine"), (1.0, 1.0, 1.0))

    assert train.frequent_words(reviews, others) == ["good", "fine", "works"]
    assert train.frequent_words(reviews, others, count=1) == ["good"]


@pytest.mark.slow
def test_training_learns_and_gives_the_same_network_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    words = train.frequent_words(SENTENCES, SENTENCES)
    network = train.trained(SENTENCES, SENTENCES, words=words, epochs=400)  # a running mean over 200 steps moves slowly
    one, other = (train.trained(SENTENCES, SENTENCES, words=words, epochs=3).state_dict() for _ in range(2))

    assert "training: 100%" in capsys.readouterr().err
    assert train.accuracy(network, SENTENCES) > 0.8
    for first, second in zip(one.values(), other.values(), strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_what_is_written_is_what_is_read_but_for_half_precision(tmp_path: Path) -> None:
    network = ReviewNet(Vocabulary(["good", "bad", "naïve"]))
    train.packed(network, tmp_path)

    weights = torch.load(tmp_path / "weights.pt", weights_only=True)

    assert (tmp_path / "words.txt").read_text(encoding="utf-8") == "good\nbad\nnaïve\n"
    for name, each in network.state_dict().items():
        torch.testing.assert_close(weights[name].float(), each, rtol=1e-3, atol=1e-4)


def test_baselines_are_accuracies() -> None:
    found = train.baselines(SENTENCES, SENTENCES, SENTENCES)

    assert set(found) == {"TF-IDF on words", "TF-IDF on words and pairs"}
    assert all(value > 0.9 for value in found.values())  # on what they were trained on


def test_phrases_are_counted_with_the_sentences_that_are_negative_all_the_same() -> None:
    texts = (
        "It's not bad.",
        "Not a bad film.",
        "Isn\u2019t so bad, but dull.",
        "not at all a bad film",
        "badly notable",
        "Never dull!",
    )

    found = train.phrases(Reviews(texts, (1.0, 1.0, -1.0, 1.0, 1.0, 1.0)))

    assert found == {
        "not … bad": {"sentences": 3, "negative": 1},
        "never boring, never dull": {"sentences": 1, "negative": 0},
    }


def test_the_record_is_plain_json() -> None:
    assert json.loads(json.dumps(record())) == record()


def test_the_examples_are_read_by_the_packaged_network() -> None:
    network = text_learner().model.eval()

    for text in example_reviews().values():
        assert torch.isfinite(network(vocabulary().ids(vocabulary().tokens(text)))).all()


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_reviews_are_told_and_not_replaced(count: int) -> None:
    with pytest.raises(DataError, match=rf"There are {count} reviews\. .*validate"):
        text_learner(Reviews(("Loved it!",) * count, (1.0,) * count))
