"""Which n-grams a text holds, weighed as naive Bayes counts them: the strong linear classifier of texts."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field

from seqlayers.arguments import Count, known_ids
from seqlayers.averaging import likeliest_weights
from seqlayers.embedding.ngrams import HASHES, hashed
from seqlayers.head.counts import Texts, contrast, distinct_hashes, log_count_ratios, owners
from seqlayers.head.logistic import Logistic, Weights, log_loss, one_hot
from seqlayers.head.presence import Presence, Stretches
from seqlayers.head.whole_text import PADDING, WholeText
from seqlayers.inputs import Inputs
from seqlayers.slots import Choice, ConfigurationError, kind

Positive = Annotated[float, Field(gt=0)]


@kind("head", "naive_bayes")
class NaiveBayes(WholeText):
    r"""Adds up a weight for each different n-gram of a text, n = 1 … N, however often it stands there.

    \[ z = b + \sum_{h \in H} v_{j(h)} \, [f_{j(h)} = \lfloor h / m \rfloor], \qquad j(h) = h \bmod m \]

    with H the different hashes of the n-grams, those of embedding `ngrams` before they are cut down to m buckets. For
    two classes z is the logit of the second, for more there is one a class. `adapt` gives each bucket j to one n-gram,
    of those in training the one that stands in the most texts, and keeps by f what is left of its hash: another n-gram
    that falls into the bucket, unseen in training perhaps, then counts for nothing, instead of for something else. It
    counts in how many training texts of each class the n-gram stands, \(n_{jc}\), and weighs it by

    \[ \theta_{jc} = \frac{\alpha + n_{jc}}{\sum_k (\alpha + n_{kc})}, \qquad
       r_j = \log \frac{\theta_{j1}}{\theta_{j0}} \quad \text{or, for more classes,} \quad
       r_{jc} = \log \theta_{jc} - \tfrac{1}{n} \sum_k \log \theta_{jk} \]

    With `solve: ratios` v = r and b is the log-odds of the classes: naive Bayes. With `logistic`
    \(v_j = r_j w_j\), w and b those of a logistic regression with penalty \(\tfrac{\lambda}{2} \|w\|^2\), λ that of
    the lowest log loss on validation: what is rare is held near naive Bayes' word, what is frequent is weighed anew.
    With `gradient` v is trained by `fit`, from ratios that are scaled to be likeliest on validation.

    Args:
        classes: at least two.
        vocabulary: how many ids there are, 0 among them, which is padding.
        longest: N.
        buckets: m, rows of the table. Of k n-grams in training, those in the fewest texts are left without a bucket:
            a share of about k / 2m, while that is small.
        fewest: training texts that an n-gram stands in, at least, to be given a bucket.
        smoothing: α, texts that each n-gram is given in each class.
        solve: `logistic`, `ratios` or `gradient`; before `adapt` the first two give NaN.
        strengths: with `logistic`, the λ to choose from; tried from strong to weak, as long as validation gains.

    Call arguments:
        ids: integers (batch, time), 0 ≤ id < vocabulary.
        mask: boolean (batch, time); false steps are padding, as zeros are. N-grams that hold padding are left out.

    Returns:
        Logits (batch, classes), for two classes −z/2 and z/2.

    Raises:
        ValueError: an id outside the vocabulary (NaN in a compiled function, where nothing can be raised); `adapt`
            without texts, without any of a class, or with too few for any n-gram to stand in `fewest`.

    Refuses to stream: an n-gram counts at its first occurrence only.

    Wang and Manning 2012, Baselines and bigrams: simple, good sentiment and topic classification.
    """

    search: ClassVar = {"longest": Choice((2, 3, 4)), "buckets": Choice((2**18, 2**20, 2**21))}
    #: Counted before anything is trained.
    adapts = True
    label_smoothing = 0.0

    def __init__(
        self,
        classes: Annotated[int, Field(ge=2)],
        vocabulary: Count,
        longest: Count = 4,
        buckets: Count = 2**21,
        fewest: Count = 2,
        smoothing: Positive = 1.0,
        solve: Literal["logistic", "ratios", "gradient"] = "logistic",
        strengths: tuple[Positive, ...] = (30.0, 10.0, 5.0, 2.5, 1.0, 0.3, 0.1),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not strengths:
            raise ConfigurationError(f"{self.slot}.strengths", "[] given.", "a list of numbers > 0")
        self.classes, self.vocabulary, self.longest, self.buckets = classes, vocabulary, longest, buckets
        self.fewest, self.smoothing, self.solve, self.strengths = fewest, smoothing, solve, strengths
        self.count = classes

    @property
    def solved(self) -> bool:
        """Whether `adapt` leaves nothing to `fit`."""
        return self.solve != "gradient"

    def refusals(self) -> dict[str, str]:
        return {"streams": "an n-gram counts at its first occurrence in a text only"}

    def build(self, ids_shape: Any) -> None:
        outputs = () if self.classes == 2 else (self.classes,)
        initial = keras.initializers.Constant(math.nan if self.solved else 0.0)
        settings: Any = {"initializer": initial, "trainable": not self.solved, "autocast": False}
        self.table = self.add_weight(name="table", shape=(self.buckets, *outputs), **settings)
        of_hash = "int16" if HASHES // self.buckets < 2**15 else "int32"
        anything = keras.initializers.Constant(-1)
        self.rest = self.add_weight(
            name="rest", shape=(self.buckets,), initializer=anything, trainable=False, dtype=of_hash
        )
        self.offset = self.add_weight(name="offset", shape=outputs, **settings)

    def score(self, ids: Any, training: bool | None) -> Any:
        hashes = self._distinct(ids)
        bucket = hashes % self.buckets
        rest = ops.cast(ops.take(self.rest, bucket, axis=0), "int32")
        held = ops.cast((hashes < HASHES) & ((rest == hashes // self.buckets) | (rest < 0)), self.table.dtype)
        weights = ops.take(self.table, bucket, axis=0)
        if self.classes == 2:
            z = ops.sum(weights * held, axis=1) + self.offset
            return ops.stack([-z / 2, z / 2], axis=-1)
        return ops.sum(weights * ops.expand_dims(held, -1), axis=1) + self.offset

    def _distinct(self, ids: Any) -> Any:
        """Each row's hashes once, (batch, time × longest) in order; what is left out holds `HASHES`."""
        ids = ops.pad(ids, ((0, 0), (self.longest - 1, 0)))
        each = hashed(ids, ids != PADDING, self.longest, HASHES)
        found = ops.sort(ops.concatenate([ops.where(whole, h, HASHES) for h, whole in each], axis=1), axis=1)
        before = ops.pad(found[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
        return ops.where(found == before, HASHES, found)

    def adapt(self, train: Any, validation: Any) -> None:
        """Count and solve; both arguments are iterables of batches of (ids or {past}, classes).

        With `logistic`, `strength` then holds the λ chosen, and `tried` pairs of λ and its validation log loss.
        """
        texts, checked = self._read_texts(train, "training"), self._read_texts(validation, "validation")
        owner = owners(texts.grams, self.buckets, self.fewest)
        if (owner < 0).all():
            raise ValueError(f"head '{self.kind}' cannot be solved: no n-gram is in {self.fewest} training texts.")
        texts, checked = texts.within(owner), checked.within(owner)
        counts = texts.counts(self.classes, self.buckets)
        total = counts.sum(axis=0)
        owned = np.flatnonzero(total)
        owned = owned[np.argsort(-total[owned], kind="stable")]  # frequent ones side by side, near the processor
        column = np.full(self.buckets, -1, np.int32)
        column[owned] = np.arange(len(owned))
        texts, checked = (t.renumbered(column[t.grams]) for t in (texts, checked))
        weights = Weights(
            log_count_ratios(counts[:, owned], self.smoothing),
            contrast(np.log(np.bincount(texts.labels, minlength=self.classes))[:, None])[:, 0],
        )
        if self.solve == "logistic":
            weights = self._regress(texts, checked, weights.w)
        elif self.solve == "gradient":
            z = _logits(checked, weights)
            z = np.concatenate([-z / 2, z / 2]).T if self.classes == 2 else z.T
            (factor,) = likeliest_weights([z], checked.labels)
            weights = Weights(factor * weights.w, factor * weights.b)
        table = np.zeros((self.buckets, len(weights.w)), "float32")
        table[owned] = weights.w.T
        self.rest.assign(np.where(owner < 0, -1, owner // self.buckets))
        self.table.assign(table.reshape(self.table.shape))
        self.offset.assign(weights.b.reshape(self.offset.shape))

    def _regress(self, texts: Texts, checked: Texts, ratios: np.ndarray) -> Weights:
        """v and b of the λ with the lowest validation loss, each begun where the last ended."""
        problem = Logistic(Presence(texts.grams, texts.lengths, ratios.shape[1]), ratios, texts.labels)
        target = one_hot(checked.labels, len(ratios))
        tried, best, least, found = [], None, math.inf, None
        for strength in sorted(self.strengths, reverse=True):
            found = problem.solve(strength, found)
            weights = Weights(ratios * found.w, found.b)
            loss = log_loss(_logits(checked, weights), target) / len(checked.labels)
            tried.append((strength, loss))
            if best is not None and loss >= least:
                break
            best, least, self.strength = weights, loss, strength
        self.tried = tuple(tried)
        assert best is not None
        return best

    def _read_texts(self, batches: Any, part: str) -> Texts:
        grams, lengths, labels = [], [], []
        for given, target in batches:
            ids = np.asarray(Inputs.of(given).past)
            if not self.built:
                self.build(ids.shape)
            known_ids(self, ids)
            classes, _ = self._read(target, np.zeros((len(ids), self.classes)))
            found, each = distinct_hashes(ids, self.longest)
            grams.append(found)
            lengths.append(each)
            labels.append(ops.convert_to_numpy(classes))
        if not labels:
            raise ValueError(f"head '{self.kind}' cannot be solved: there are no {part} texts.")
        texts = Texts(*map(np.concatenate, (grams, lengths, labels)))
        absent = np.setdiff1d(np.arange(self.classes), texts.labels)
        if part == "training" and len(absent):
            raise ValueError(f"head '{self.kind}' cannot be solved: no training text is of class {absent[0]}.")
        return texts


def _logits(texts: Texts, weights: Weights) -> np.ndarray:
    """(outputs, texts)."""
    stretches = Stretches(texts.grams, texts.lengths)
    return np.stack([stretches.sums(w) for w in weights.w]) + weights.b[:, None]
