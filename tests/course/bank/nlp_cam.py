"""Answers to the items of `nlp_cam`."""

from tests.course.bank import Entry
from tests.course.bank.common import body, quiz, wrong_body

SCORES = "def word_scores(activation, weight):"
LOGITS = "def logits_from_words(scores, bias, is_word):"
TIMES = "def gradient_times_input(gradient, embedding):"
LEAVE = "def leave_one_out(predict, words):"
TOP = "def without_top(words, values, count):"

BANK: dict[str, Entry] = {
    "nlp_cam.word_scores": Entry(
        right=body(
            SCORES,
            einsum='return torch.einsum("ck,kp->cp", weight, activation)',
            matmul="return weight @ activation",
            broadcast="return (weight[:, :, None] * activation).sum(1)",
            loop="return torch.stack([sum(w * a for w, a in zip(row, activation)) for row in weight])",
            turned="return (activation.T @ weight.T).T",
            convolution="return nn.functional.conv1d(activation[None], weight[:, :, None])[0]",
        ),
        wrong=wrong_body(
            SCORES,
            turned_around=('return torch.einsum("ck,kp->pc", weight, activation)', "shape", "classes come first"),
            pooled=('return torch.einsum("ck,kp->c", weight, activation)', "shape", "words are gone"),
            classes_lost=('return torch.einsum("ck,kp->p", weight, activation)', "shape", "classes are gone"),
            one_class=("return (weight[0] @ activation)[None].expand(len(weight), -1)", "values", "first one's scores"),
            softmax=("return (weight @ activation).softmax(0)", "values", "probabilities"),
            relu=("return (weight @ activation).relu()", "values", "ReLU"),
            mean=("return weight @ activation / activation.shape[0]", "values", "mean over channels"),
            averaged=(
                "return (weight @ activation.mean(1, keepdim=True)).expand(-1, activation.shape[1])",
                "values",
                "averaged first",
            ),
            not_summed=("return weight[0][:, None] * activation", "shape", "sum over channels"),
            four_letters=('return torch.einsum("ck,kij->cij", weight, activation)', "", "one letter per axis."),
            over_words=("return (weight[:, :, None] * activation).sum(2)", "shape", "sum over the words"),
            in_place=("activation *= 2\nreturn weight @ activation / 2", "kept", "operation in place"),
        ),
    ),
    "nlp_cam.logits": Entry(
        right=body(
            LOGITS,
            masked="return (scores * is_word).sum(dim=1) / is_word.sum() + bias",
            picked="return scores[:, is_word].mean(dim=1) + bias",
            filled="return scores.masked_fill(~is_word, 0).sum(1) / int(is_word.sum()) + bias",
            matmul="return scores @ is_word.float() / is_word.float().sum() + bias",
            loop="return torch.stack([row[is_word].sum() / is_word.sum() + b for row, b in zip(scores, bias)])",
        ),
        wrong=wrong_body(
            LOGITS,
            no_mask=("return scores.mean(dim=1) + bias", "values", "padding was averaged"),
            all_positions=("return (scores * is_word).mean(dim=1) + bias", "values", "divided by all positions"),
            padding_added=("return scores.sum(dim=1) / is_word.sum() + bias", "values", "padding was added up"),
            mask_on_classes=("return scores[is_word].mean(dim=1) + bias", "", "axis of the words"),
            no_bias=("return scores[:, is_word].mean(dim=1)", "values", "bias is missing"),
            summed=("return scores[:, is_word].sum(dim=1) + bias", "values", "this is the sum"),
            minus=("return scores[:, is_word].mean(dim=1) - bias", "values", "subtracted"),
            one_number=("return scores[:, is_word].mean() + bias.mean()", "shape", "one number for all"),
            keepdim=("return scores[:, is_word].mean(dim=1, keepdim=True) + bias[:, None]", "shape", "left over"),
            not_pooled=("return scores * is_word + bias[:, None]", "shape", "words are still there"),
            the_padding=("return scores[:, ~is_word].mean(dim=1) + bias", "values", "the filling was averaged"),
            first_words=("return scores[:, :5].mean(dim=1) + bias", "values", ""),
            wrong_axis=("return scores.mean(dim=0) + bias", "", ""),
            softmax=("return (scores[:, is_word].mean(dim=1) + bias).softmax(0)", "values", "probabilities"),
        ),
    ),
    "nlp_cam.gradient_times_input": Entry(
        right=body(
            TIMES,
            product="return (gradient * embedding).sum(dim=1)",
            einsum='return torch.einsum("pk,pk->p", gradient, embedding)',
            diagonal="return (gradient @ embedding.T).diagonal()",
            loop="return torch.stack([g @ e for g, e in zip(gradient, embedding)])",
            batched="return torch.bmm(gradient[:, None], embedding[:, :, None]).flatten()",
        ),
        wrong=wrong_body(
            TIMES,
            not_summed=("return gradient * embedding", "shape", "add them up for each word"),
            over_words=("return (gradient * embedding).sum(dim=0)", "shape", "not over the words"),
            everything=("return (gradient * embedding).sum()", "shape", "one number for the whole text"),
            grad_cam=("return (gradient.mean(0) * embedding).sum(1)", "values", "Grad-CAM"),
            norm=("return gradient.norm(dim=1)", "values", "sign is lost"),
            gradient_only=("return gradient.sum(1)", "values", "only the gradient"),
            embedding_only=("return embedding.sum(1)", "values", "only the embedding"),
            mean=("return (gradient * embedding).mean(1)", "values", "mean over channels"),
            absolute=("return (gradient * embedding).sum(1).abs()", "values", "absolute value"),
            relu=("return (gradient * embedding).sum(1).relu()", "values", "ReLU"),
            forgot_return=("(gradient * embedding).sum(1)", "", "return at the end"),
        ),
        equivalent={},
    ),
    "nlp_cam.leave_one_out": Entry(
        right=body(
            LEAVE,
            slices="whole = predict(words)\nreturn [whole - predict(words[:p] + words[p + 1:]) for p in range(len(words))]",
            enumerated="return torch.tensor([predict(words) - predict([w for q, w in enumerate(words) if q != p]) for p in range(len(words))])",
            copies="""
lost = []
for place in range(len(words)):
    left = list(words)
    left.pop(place)
    lost.append(predict(words) - predict(left))
return lost
""",
            combinations="import itertools\nleft = list(itertools.combinations(words, len(words) - 1))[::-1]\nreturn [predict(words) - predict(list(each)) for each in left]",
        ),
        wrong=wrong_body(
            LEAVE,
            sign=(
                "whole = predict(words)\nreturn [predict(words[:p] + words[p + 1:]) - whole for p in range(len(words))]",
                "values",
                "sign is turned",
            ),
            not_subtracted=(
                "return [predict(words[:p] + words[p + 1:]) for p in range(len(words))]",
                "values",
                "subtract them",
            ),
            every_occurrence=(
                "return [predict(words) - predict([w for w in words if w != word]) for word in words]",
                "values",
                "one place at a time",
            ),
            one_per_word=(
                "return [predict(words) - predict([w for w in words if w != word]) for word in dict.fromkeys(words)]",
                "shape",
                "count places",
            ),
            changes_the_list=(
                "lost = []\nfor p in range(len(words)):\n    word = words.pop(p)\n    left = predict(words)\n    words.insert(p, word)\n    lost.append(predict(words) - left)\nwords.reverse()\nreturn lost",
                "kept",
                "make a new one",
            ),
            the_first_of_two=(
                "lost = []\nfor word in words:\n    left = list(words)\n    left.remove(word)\n    lost.append(predict(words) - predict(left))\nreturn lost",
                "values",
                "by the place",
            ),
            shorter_on_the_way=(
                "lost = []\nfor word in words:\n    left = words\n    left.remove(word)\n    lost.append(predict(words) - predict(left))\nreturn lost",
                "shape",
                "got shorter while the loop",
            ),
            popped_on_the_way=(
                "lost = []\nfor p in range(len(words)):\n    left = words\n    left.pop(p)\n    lost.append(predict(words) - predict(left))\nreturn lost",
                "",
                "got shorter on the way",
            ),
            dictionary=(
                "return {word: predict(words) - predict([w for w in words if w != word]) for word in words}",
                "shape",
                "return a list",
            ),
            minus=("return [predict(words) - predict(words - word) for word in words]", "", "a list has no minus"),
            blank=(
                "return [predict(words) - predict(words[:p] + [''] + words[p + 1:]) for p in range(len(words))]",
                "",
                "the words that stay",
            ),
            only_the_word=("return [predict([word]) for word in words]", "values", "each word alone"),
            the_rest=(
                "return [predict(words) - predict(words[:p]) for p in range(len(words))]",
                "values",
                "words behind were left out",
            ),
            from_there_on=(
                "return [predict(words) - predict(words[p + 1:]) for p in range(len(words))]",
                "values",
                "words up to this one were left out",
            ),
            one_number=("return predict(words) - predict(words[1:])", "shape", "this is a single number"),
            one_short=(
                "return [predict(words) - predict(words[:p] + words[p + 1:]) for p in range(len(words) - 1)]",
                "shape",
                "",
            ),
            text=(
                "return [predict(words) - predict(' '.join(words[:p] + words[p + 1:])) for p in range(len(words))]",
                "",
                "wants a list of the words",
            ),
            forgot_return=("[predict(words[:p] + words[p + 1:]) for p in range(len(words))]", "", "return at the end"),
        ),
    ),
    "nlp_cam.without_top": Entry(
        right=body(
            TOP,
            topk="gone = set(values.topk(count).indices.tolist())\nreturn [word for place, word in enumerate(words) if place not in gone]",
            sorted_places="order = sorted(range(len(words)), key=lambda place: -float(values[place]))\nkept = sorted(order[count:])\nreturn [words[place] for place in kept]",
            mask="keep = torch.ones(len(words), dtype=torch.bool)\nkeep[values.argsort(descending=True)[:count]] = False\nreturn [word for word, stays in zip(words, keep) if stays]",
            one_after_the_other="""
places = list(range(len(words)))
for _ in range(count):
    places.remove(max(places, key=lambda place: values[place]))
return tuple(words[place] for place in places)
""",
        ),
        wrong=wrong_body(
            TOP,
            threshold=(
                "limit = values.sort(descending=True).values[count - 1]\nreturn [word for word, value in zip(words, values) if value < limit]",
                "count",
                "count may be 0",
            ),
            smallest=(
                "gone = set((-values).topk(count).indices.tolist())\nreturn [w for p, w in enumerate(words) if p not in gone]",
                "words",
                "smallest values",
            ),
            by_size=(
                "gone = set(values.abs().topk(count).indices.tolist())\nreturn [w for p, w in enumerate(words) if p not in gone]",
                "words",
                "not by its size",
            ),
            those_deleted=(
                "return [words[p] for p in values.topk(count).indices.tolist()]",
                "words",
                "words that should go",
            ),
            other_order=(
                "return [words[p] for p in values.argsort(descending=True).tolist()[count:]]",
                "words",
                "another order",
            ),
            places=("return values.argsort(descending=True)[count:].tolist()", "form", "not their places"),
            one_more=(
                "gone = set(values.topk(count + 1).indices.tolist())\nreturn [w for p, w in enumerate(words) if p not in gone]",
                "words",
                "one word more",
            ),
            by_word=(
                "gone = {words[p] for p in values.topk(count).indices.tolist()}\nreturn [w for w in words if w not in gone]",
                "words",
                "every word like those",
            ),
            the_first_of_two=(
                "left = list(words)\nfor p in values.topk(count).indices.tolist():\n    left.remove(words[p])\nreturn left",
                "words",
                "of two equal words",
            ),
            moved=(
                "left = list(words)\nfor p in values.topk(count).indices.tolist():\n    left.pop(p % len(left))\nreturn left",
                "words",
                "",
            ),
            popped=(
                "left = list(words)\nfor p in values.topk(count).indices.tolist():\n    left.pop(p)\nreturn left",
                "",
                "moves those behind it",
            ),
            nothing_left=("return []", "words", "more or fewer"),
            only_one=("top = int(values.argmax())\nreturn words[:top] + words[top + 1:] + ['end']", "words", ""),
            one_text=(
                "gone = set(values.topk(count).indices.tolist())\nreturn ' '.join(w for p, w in enumerate(words) if p not in gone)",
                "form",
                "not one text",
            ),
            in_place=(
                "for p in sorted(values.topk(count).indices.tolist(), reverse=True):\n    del words[p]\nreturn list(words)",
                "kept",
                "make a new list",
            ),
            the_first=("return words[count:] + ['']", "words", ""),
            forgot_return=("gone = set(values.topk(count).indices.tolist())", "", "return at the end"),
        ),
    ),
    "nlp_cam.same_colours": quiz(
        "same_colours",
        "b",
        {
            '"a"': "equally probable",
            '"c"': "each other's opposite",
            '"d"': "how strong a colour",
            '"ab"': "read what is said",
        },
    ),
    "nlp_cam.negation": quiz(
        "negation",
        "bc",
        {
            '"a"': "what the network does",
            '"b"': "more than one option",
            '"c"': "more than one option",
            '"d"': "says nothing at all",
            '"abc"': "read what is said",
        },
    ),
}
