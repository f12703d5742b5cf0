"""fastai's AWD-LSTM text classifier: read in chunks, tokens with rules, a state that stays behind."""

from typing import Any

import pytest
import torch
from fastai.text.models.core import masked_concat_pool

from camwidget.dispatch import explain
from camwidget.errors import LayerError, MapError, ModelError, TextError
from camwidget.text.explain import explain_text, explain_text_methods
from tests.text.toys import awd_learner
from tests.toys import state

TEXT = "Don't MISS this film!!! Fun, so GREAT fun <br /> no xyzzy"
EMBEDDING = "0.module.encoder_dp"


@pytest.fixture(scope="module")
def learner() -> Any:
    torch.manual_seed(3)
    return awd_learner()


def by_hand(learner: Any, text: str, *, cut: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and gradient times input, the encoder fed with vectors, chunk by chunk, its state cut or not."""
    encoder, head = learner.model.eval()
    network = encoder.module
    x = learner.dls.test_dl([text], num_workers=0).one_batch()[0].cpu()
    vectors = network.encoder(x).detach().requires_grad_()
    network.reset()
    made = []
    for start in range(0, x.shape[1], encoder.bptt):
        made.append(network(vectors[:, start : start + encoder.bptt], from_embeds=True))
    whole = torch.cat(made, dim=1)
    pooled = masked_concat_pool(whole, torch.zeros(whole.shape[:2], dtype=torch.bool), encoder.bptt)
    logits = head.layers(pooled)
    (gradient,) = torch.autograd.grad(logits[0, 1], vectors)
    return logits[0].detach(), (gradient * vectors).sum(dim=2)[0].detach()


def test_chunks_are_put_together_to_the_whole_text(learner: Any) -> None:
    logits, expected = by_hand(learner, TEXT)

    found = explain_text_methods(learner, TEXT)
    result = found["hires_cam"]

    assert result.class_names == ("bad", "good")
    assert list(result.cams) == [EMBEDDING, "0.module.rnns.0", "0.module.rnns.1"]
    assert {cams.shape for cams in result.cams.values()} == {(2, len(result.tokens))}
    torch.testing.assert_close(result.logits, logits, rtol=0, atol=1e-15)
    torch.testing.assert_close(result.cam(EMBEDDING, "good"), expected, rtol=0, atol=1e-15)
    total, rest = result.contributions(EMBEDDING, "good")
    assert total + rest == pytest.approx(logits[1].item(), abs=1e-14)
    assert result.word_values(EMBEDDING, 1).sum().item() + result.rest(EMBEDDING, 1) == pytest.approx(total, abs=1e-14)


def test_what_the_cut_between_chunks_leaves_out_is_said(learner: Any) -> None:
    found = explain_text_methods(learner, TEXT)
    whole = explain_text(learner, "I loved it", method="hires_cam")

    assert len(found["hires_cam"].tokens) == 21
    assert "in 5 parts and keeps no gradient from one part to the part before" in " ".join(found["hires_cam"].notes)
    assert "“Leave one out” (method='occlusion') has it" in " ".join(found["hires_cam"].notes)  # as the panel names it
    assert "parts" not in " ".join(found["occlusion"].notes)
    assert whole.notes == ()


def test_in_one_chunk_it_is_the_true_slope(learner: Any) -> None:
    text, step = "I loved it", 1e-6
    result = explain_text(learner, text, method="hires_cam", layers=[EMBEDDING])
    weight = learner.model[0].module.encoder.weight

    for token, value in zip(result.tokens, result.cam(target_class="good"), strict=True):
        logits = []
        for factor in (1 + step, 1 - step):
            kept = weight[token.index].detach().clone()
            with torch.no_grad():
                weight[token.index] = kept * factor
                logits.append(learner.model.eval()(torch.tensor([[each.index for each in result.tokens]]))[0][0, 1])
                weight[token.index] = kept
        assert value.item() == pytest.approx(((logits[0] - logits[1]) / (2 * step)).item(), abs=1e-8)


def test_words_are_words_and_special_tokens_are_not_among_them(learner: Any) -> None:
    result = explain_text(learner, TEXT, method="grad_cam")

    assert [word.text for word in result.words] == [
        "Don't", "MISS", "this", "film", "!!!", "Fun", ",", "so", "GREAT", "fun", "<br />", "no", "xyzzy",
    ]  # fmt: skip
    assert [word.text for word in result.words if not word.known] == ["so", "<br />", "xyzzy"]
    special = [token.text for token in result.tokens if token.special]
    assert special == ["xxbos", "xxmaj", "xxup", "xxrep", "3", "xxmaj", "xxup"]
    assert [result.tokens[position].text for position in result.words[0].positions] == ["do", "n't"]
    assert result.unknown_share == pytest.approx(3 / 11)


def test_leaving_a_word_out_deletes_its_tokens_and_its_marks(learner: Any) -> None:
    result = explain_text(learner, TEXT, method="occlusion", target_classes=["good"])
    ids = [token.index for token in result.tokens]

    def logit(positions: list[int]) -> float:
        return learner.model.eval()(torch.tensor([[ids[each] for each in positions]]))[0][0, 1].item()

    everything = list(range(len(ids)))
    for number, gone in ((0, {1, 2, 3}), (1, {4, 5}), (4, {8, 9, 10}), (12, {20})):
        expected = logit(everything) - logit([each for each in everything if each not in gone])
        assert result.word_values()[number].item() == pytest.approx(expected, abs=1e-14)


def test_the_memory_of_the_network_is_left_as_found(learner: Any) -> None:
    network = learner.model[0].module
    learner.model(torch.tensor([[2, 5, 9], [2, 7, 8]]))
    learner.model.train()
    before, hidden, rows = state(learner.model), network.hidden, network.bs
    weights = [vars(rnn.module)["weight_hh_l0"] for rnn in network.rnns]

    for method in ("hires_cam", "occlusion"):
        explain_text(learner, TEXT, method=method)
    with pytest.raises(MapError, match="a second Linear layer"):
        explain_text(learner, TEXT, method="cam")

    assert state(learner.model) == before
    assert network.hidden is hidden
    assert network.bs == rows == 2
    for rnn, weight in zip(network.rnns, weights, strict=True):
        assert vars(rnn.module)["weight_hh_l0"] is weight
        assert any(each is weight for each in rnn.module._flat_weights)


def test_words_before_the_last_pooled_ones_have_zero_and_it_is_said() -> None:
    learner = awd_learner(max_len=10)

    found = explain_text_methods(learner, TEXT, methods=("grad_cam", "hires_cam", "occlusion"))

    # 21 tokens in chunks of 5: only the last two chunks, of 5 and 1, begin within the last ten tokens.
    for method in ("grad_cam", "hires_cam"):
        cam = found[method].cam("0.module.rnns.1")
        assert "No gradient reaches the first 15 of 21 tokens" in " ".join(found[method].notes)
        assert (found["hires_cam"].cam()[:15] == 0).all()
        assert (cam[15:] != 0).all()
    assert (found["occlusion"].word_values()[:3] != 0).all()


def test_as_many_channels_as_tokens_in_a_chunk_do_not_swap_the_axes() -> None:
    learner = awd_learner(seq_len=6)
    text = "I loved it , fun Fun"
    result = explain_text(learner, text, method="hires_cam", layers=[EMBEDDING])

    assert len(result.tokens) == 6 + 2
    _, expected = by_hand(learner, text)
    torch.testing.assert_close(result.cam(target_class=1), expected, rtol=0, atol=1e-15)
    short = explain_text(learner, "Loved it , fun", method="hires_cam", layers=[EMBEDDING])
    assert len(short.tokens) == 6
    torch.testing.assert_close(short.cam(target_class=1), by_hand(learner, "Loved it , fun")[1], rtol=0, atol=1e-15)


def test_the_embedding_that_never_fires_is_told(learner: Any) -> None:
    with pytest.raises(LayerError, match=r"'0.module.encoder' did not run.*'0.module.encoder_dp'"):
        explain_text(learner, TEXT, method="grad_cam", layers=["0.module.encoder"])


def test_the_one_explain_takes_it(learner: Any) -> None:
    assert explain(learner, TEXT, method="grad_cam").text == TEXT


def test_a_learner_that_reads_from_the_end_has_the_same_words_in_the_same_order() -> None:
    learner = awd_learner(backwards=True)

    result = explain_text(learner, "I loved it", method="hires_cam", layers=[EMBEDDING])

    assert [token.text for token in result.tokens] == ["it", "loved", "i", "xxbos"]
    assert [word.text for word in result.words] == ["I", "loved", "it"]
    assert result.word_values()[2] == result.cam()[0]
    torch.testing.assert_close(result.cam(target_class=1), by_hand(learner, "I loved it")[1], rtol=0, atol=1e-15)


def test_a_learner_that_does_more_to_a_text_is_refused(learner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = learner.dls.test_dl([TEXT], num_workers=0)
    monkeypatch.setattr(learner.dls, "test_dl", lambda *_, **__: batch)

    with pytest.raises(ModelError, match=r"turns this text into 21 numbers"):
        explain_text(learner, "Fun", method="grad_cam")


def test_a_layer_that_is_not_there_is_answered_with_those_of_words(learner: Any) -> None:
    with pytest.raises(LayerError, match=r"no layer 'rnn9'\. .* '0\.module\.encoder_dp', '0\.module\.rnns\.0', .*"):
        explain_text(learner, TEXT, method="grad_cam", layers=["rnn9"])


@pytest.mark.parametrize("text", ["<br />", "xxbos xxmaj"])
def test_a_text_that_the_tokenizer_takes_out_is_told(learner: Any, text: str) -> None:
    with pytest.raises(TextError, match=rf"None of the \d tokens .* '{text}'.*Write a sentence"):
        explain_text(learner, text, method="grad_cam")
