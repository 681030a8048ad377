"""Batches of texts: every text once, like lengths together, the same again where training resumes."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DataError
from data.splits import PARTS
from data.text_batches import Buckets
from tests.data.text_tables import prepared, reviews


class TestBatches:
    DATA = prepared(reviews(400, films=100, longest=60), buckets=[8, 16, 32], longest=50)

    def epoch(self, part: str = "train", size: int = 16, **how: object) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(x.numpy(), y.numpy()) for x, y in self.DATA.labelled(part).dataset(size, **how)]

    def rows(self, batches: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple]:
        return sorted((tuple(x[x != 0]), int(y)) for xs, ys in batches for x, y in zip(xs, ys, strict=True))

    def all(self, part: str = "train") -> list[tuple]:
        pairs = zip(self.DATA.ids(part), self.DATA.labels(part), strict=True)
        return sorted((tuple(i.tolist()), int(y)) for i, y in pairs)

    def test_an_epoch_has_every_text_once_with_its_label(self):
        for part in PARTS:
            assert self.rows(self.epoch(part)) == self.all(part)
            assert self.rows(self.epoch(part, seed=3)) == self.all(part)

    def test_in_order_the_rows_are_those_of_the_part(self):
        labels = np.concatenate([y for _, y in self.epoch("test")])
        np.testing.assert_array_equal(labels, self.DATA.labels("test"))

    def test_a_batch_is_as_wide_as_its_bucket(self):
        for ids, _ in self.epoch(seed=1):
            longest = (ids != 0).sum(axis=1).max()
            assert ids.dtype == np.int32
            assert ids.shape[1] == next(w for w in (8, 16, 32, 50) if w >= longest)

    def test_static_batches_are_full_and_drop_only_a_remainder(self):
        batches = self.epoch(seed=1, static=True)
        assert {len(ids) for ids, _ in batches} == {16}
        assert {ids.shape[1] for ids, _ in batches} <= {8, 16, 32, 50}
        assert (
            len(batches) == self.DATA.labelled("train").buckets.steps(16, static=True) == self.DATA.count("train") // 16
        )
        assert len(set(self.rows(batches)) - set(self.all())) == 0

    def test_a_resumed_epoch_is_the_same_and_every_epoch_another(self):
        for static in (False, True):
            whole = self.epoch(seed=5, epochs=3, static=static)
            late = self.epoch(seed=5, first_epoch=2, epochs=3, static=static)
            for (a, b), (c, d) in zip(whole[-len(late) :], late, strict=True):
                np.testing.assert_array_equal(a, c)
                np.testing.assert_array_equal(b, d)
            first = whole[: len(late)]
            assert any(a.shape != c.shape or (a != c).any() for (a, _), (c, _) in zip(first, late, strict=True))

    def test_labels_are_drawn_anew_each_epoch_by_their_probabilities_and_the_same_again(self):
        more = [np.full(3, 2, np.int32)] * 200
        shares = np.tile([0.9, 0.1], (200, 1))
        learnt = self.DATA.labelled("train", more, shares)

        def drawn(**how: object) -> list[int]:
            batches = learnt.dataset(16, seed=2, **how)
            return [int(y) for x, ys in batches for ids, y in zip(x.numpy(), ys.numpy(), strict=True) if is_more(ids)]

        def is_more(ids: np.ndarray) -> bool:
            return ids[ids != 0].tolist() == [2, 2, 2]

        two, second = drawn(epochs=2), drawn(epochs=2, first_epoch=1)
        assert two[-len(second) :] == second and two[: len(second)] != second
        assert 0.04 < np.mean(two) < 0.16
        assert {int(y) for _, ys in learnt.dataset(16) for y in ys} == {0, 1}
        in_order = [(ids, y) for x, ys in learnt.dataset(16) for ids, y in zip(x.numpy(), ys.numpy(), strict=True)]
        assert not any(y for ids, y in in_order if is_more(ids))

    def test_the_number_of_batches_is_known(self):
        dataset = self.DATA.labelled("train").dataset(16, seed=1, epochs=2)
        assert int(dataset.cardinality()) == len(list(dataset))

    def test_the_share_of_padding_is_that_of_the_batches(self):
        batches = self.epoch(static=True)
        assert self.DATA.padding(16) == pytest.approx(np.mean(np.concatenate([(x == 0).ravel() for x, _ in batches])))
        assert 0 < self.DATA.padding(16) < 0.5

    def test_what_is_left_of_a_bucket_goes_up(self):
        buckets = Buckets.of(np.array([1, 2, 3, 9, 10, 60]), [4, 16], 100)
        assert [(rows.tolist(), width) for rows, width in buckets.batches(2, static=True, rng=None)] == [
            ([0, 1], 4),
            ([2, 3], 16),
            ([4, 5], 100),
        ]
        assert buckets.padding(2) == pytest.approx(1 - 85 / (8 + 32 + 200))
        assert Buckets.of(np.array([1, 2, 3]), [4, 16], 100).widths == (4,)

    def test_a_batch_larger_than_the_part_is_refused(self):
        with pytest.raises(DataError, match="A batch has 5000 rows, and there are only"):
            self.epoch(size=5000, static=True)
