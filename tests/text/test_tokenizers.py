"""Tokenizers of Hugging Face as vocabularies: stand-ins of the same shape, for the library is not among the tests'."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from camwidget.dispatch import explain
from camwidget.errors import ModelError, TextError
from camwidget.text.reader import reads_text
from camwidget.text.tokenizers import is_tokenizer, tokenizer_tokens

NAMES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "film", "was", "go", "##od", " film", "not"]


def pieces(text: str) -> tuple[list[int], list[tuple[int, int]], list[int]]:
    """Numbers, places and whether special: words by white space, "good" in two pieces, [CLS] and [SEP] around them."""
    ids, offsets = [2], [(0, 0)]
    end = 0
    for word in text.split():
        start = text.index(word, end)
        end = start + len(word)
        parts = (
            [(word[:2], 0, 2), ("##" + word[2:], 2, len(word))] if word == "good" else [(word.lower(), 0, len(word))]
        )
        for name, first, last in parts:
            ids.append(NAMES.index(name) if name in NAMES else 1)
            offsets.append((start + first, start + last))
    return [*ids, 3], [*offsets, (0, 0)], [1, *[0] * (len(ids) - 1), 1]


class Fast:
    """As in transformers: called with a text, it gives places."""

    is_fast, unk_token_id = True, 1

    def __call__(self, text: str, **asked: bool) -> dict[str, Any]:
        assert asked == {"return_offsets_mapping": True, "return_special_tokens_mask": True}
        return dict(zip(("input_ids", "offset_mapping", "special_tokens_mask"), pieces(text), strict=True))

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [NAMES[index] for index in ids]


class Bare:
    """As in tokenizers: it encodes a text."""

    model = SimpleNamespace(unk_token="[UNK]")

    def encode(self, text: str) -> SimpleNamespace:
        ids, offsets, special = pieces(text)
        names = [NAMES[index] for index in ids]
        return SimpleNamespace(ids=ids, offsets=offsets, special_tokens_mask=special, tokens=names)

    def id_to_token(self, index: int) -> str:
        return NAMES[index]

    def token_to_id(self, name: str) -> int:
        return NAMES.index(name)


class Spaced(Fast):
    """A token takes the white space before it along, as GPT-2's do; a line break is a token of its own."""

    def __call__(self, text: str, **asked: bool) -> dict[str, Any]:
        ids, places = [4, 9, 10], [(0, 3), (3, 8), (8, 9)]
        return {"input_ids": ids, "offset_mapping": places, "special_tokens_mask": [0, 0, 0]}


class Outputs(dict):
    """As in transformers: a dictionary whose entries are attributes as well."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Classifier(nn.Module):
    """A bag of words with a table of ten places; what it returns and what it says of itself are Hugging Face's."""

    def __init__(self, tokenizer: Any, **config: Any) -> None:
        super().__init__()
        self.vocabulary = tokenizer
        self.config = SimpleNamespace(id2label={0: "dull", 1: "fine"}, problem_type=None, num_labels=2)
        vars(self.config).update(config)
        self.words, self.places = nn.Embedding(len(NAMES), 6), nn.Embedding(10, 6)
        self.head = nn.Linear(6, self.config.num_labels)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Outputs:
        hidden = self.words(ids) + self.places(torch.arange(ids.shape[1]))
        return Outputs(logits=self.head(hidden.mean(dim=1)), hidden_states=None)


TEXT = "The film was good"


@pytest.mark.parametrize("tokenizer", [Fast(), Bare()])
def test_a_tokenizer_is_a_vocabulary_as_it_is(tokenizer: Any) -> None:
    model = Classifier(tokenizer).double()
    ids = torch.tensor([pieces(TEXT)[0]])

    result = explain(model, TEXT, method="cam", layers=["words"], target_classes=["fine"])

    assert reads_text(model)
    assert result.class_names == ("dull", "fine")
    assert [(word.text, word.positions) for word in result.words] == [
        ("The", (1,)), ("film", (2,)), ("was", (3,)), ("good", (4, 5))
    ]  # fmt: skip
    torch.testing.assert_close(result.logits, model(ids).logits[0].detach())
    torch.testing.assert_close(result.cam("words"), (model.words(ids)[0] @ model.head.weight[1]).detach())


def test_unknown_words_and_special_tokens_are_marked() -> None:
    tokens = tokenizer_tokens(Fast())("the opera")

    assert [(token.text, token.known, token.special) for token in tokens] == [
        ("[CLS]", True, True),
        ("the", True, False),
        ("opera", False, False),
        ("[SEP]", True, True),
    ]


def test_white_space_belongs_to_no_word() -> None:
    tokens = tokenizer_tokens(Spaced())("The film\n")

    assert [(token.text, token.start, token.end, token.special) for token in tokens] == [
        ("The", 0, 3, False),
        ("film", 4, 8, False),
        ("not", 8, 8, True),
    ]


def test_a_slow_tokenizer_is_refused_with_what_to_use() -> None:
    slow = Fast()
    slow.is_fast = False

    with pytest.raises(ModelError, match=r"Fast cannot tell where its tokens lie.*use_fast=True"):
        explain(Classifier(slow), TEXT)


def test_a_text_longer_than_the_table_of_places_is_refused() -> None:
    with pytest.raises(TextError, match=r"does not run on inputs of shape \(1, 14\).*shorter text"):
        explain(Classifier(Fast()), "the film was not " * 3)


class Without(Fast):
    """A tokenizer of one's own, which leaves something out of what it returns, or adds an axis for several texts."""

    all_special_ids = (0, 1, 2, 3)

    def __init__(self, *missing: str, rows: bool = False) -> None:
        self.missing, self.rows = missing, rows

    def __call__(self, text: str, **asked: bool) -> dict[str, Any]:
        made = {key: value for key, value in super().__call__(text, **asked).items() if key not in self.missing}
        return {key: [value] for key, value in made.items()} if self.rows else made


@pytest.mark.parametrize("tokenizer", [Without("special_tokens_mask"), Without(rows=True)], ids=["no mask", "a row"])
def test_what_a_tokenizer_leaves_out_is_found_where_it_can_be(tokenizer: Any) -> None:
    assert tokenizer_tokens(tokenizer)(TEXT) == tokenizer_tokens(Fast())(TEXT)


class Other(Fast):
    """A tokenizer that is called in another way."""

    def __call__(self, text: str) -> dict[str, Any]:  # type: ignore[override]
        return {}


@pytest.mark.parametrize("tokenizer", [Without("offset_mapping"), Without("input_ids"), Other()])
def test_a_tokenizer_that_does_not_tell_enough_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ModelError, match=r"did not encode the text: .*must return input_ids.*tokens\(text\)"):
        explain(Classifier(tokenizer), TEXT)


@pytest.mark.parametrize(
    "wrapped", [nn.DataParallel, nn.Sequential, lambda model: nn.Sequential(nn.Sequential(model), nn.Identity())]
)
def test_a_wrapped_model_reads_with_the_vocabulary_of_the_one_inside(wrapped: Any) -> None:
    model = Classifier(Fast()).double()

    class Logits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, ids: Tensor) -> Tensor:
            return self.inner(ids).logits

    result = explain(wrapped(Logits()), TEXT, method="grad_cam", target_classes=["fine"])

    expected = explain(model, TEXT, method="grad_cam", target_classes=["fine"], layers=["words"])
    name = next(layer.name for layer in result.layers if layer.name.endswith("words"))
    torch.testing.assert_close(result.cam(name), expected.cam("words"))


@pytest.mark.parametrize("other", ["words", {"the": 4}, None, nn.Embedding(3, 2), print])
def test_other_objects_are_no_tokenizers(other: Any) -> None:
    assert not is_tokenizer(other)
