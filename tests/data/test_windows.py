"""Windows: whole, in their part, never across a border; shuffled by seed and epoch alone; gathered, not copied."""

from __future__ import annotations

import itertools
import resource
import tracemalloc

import numpy as np
import pytest

from data.windows import WindowSpec, origins, window_dataset

SPEC = WindowSpec(look_back=5, horizon=3, stride=1, season=4)


def brute_force(bounds, spec, first, last):
    """Every origin whose target lies in [first, last) and whose window lies in one segment."""
    found = []
    for start, end in itertools.pairwise(bounds):
        for origin in range(start, end):
            inside = start <= origin - spec.look_back and origin + spec.horizon <= end
            if inside and first <= origin and origin + spec.horizon <= last:
                found.append(origin)
    return found


def batches(rows=60, batch_size=8, spec=SPEC, ahead=True, **settings):
    past = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    known = -np.arange(rows, dtype=np.float32)[:, None] if ahead else None
    first = origins(np.array([0, rows]), spec, 0, rows)
    return window_dataset(past, past[:, :1], known, first, spec, batch_size, **settings)


def order(dataset):
    """The origins in the order in which a dataset gives them."""
    return [np.asarray(target)[:, 0, 0].astype(int) // 2 for _, target in dataset]


class TestOrigins:
    @pytest.mark.parametrize("bounds", [[0, 40], [0, 7, 8, 30, 40]])
    @pytest.mark.parametrize("part", [(0, 40), (0, 20), (20, 28), (28, 40), (38, 40)])
    def test_are_those_whose_target_fits(self, bounds, part):
        found = origins(np.array(bounds), SPEC, *part)
        np.testing.assert_array_equal(found, brute_force(bounds, SPEC, *part))

    def test_the_look_back_may_reach_before_the_part(self):
        assert origins(np.array([0, 40]), SPEC, 20, 30)[0] == 20

    def test_stride(self):
        found = origins(np.array([0, 40]), WindowSpec(5, 3, 4, 4), 0, 40)
        np.testing.assert_array_equal(found, np.arange(5, 38, 4))

    def test_parts_may_differ_by_segment(self):
        found = origins(np.array([0, 20, 40]), SPEC, np.array([0, 30]), np.array([10, 40]))
        np.testing.assert_array_equal(found, [5, 6, 7, 30, 31, 32, 33, 34, 35, 36, 37])

    def test_none(self):
        assert origins(np.array([0, 7]), SPEC, 0, 7).shape == (0,)


class TestDataset:
    def test_a_window_is_the_rows_before_its_origin_and_those_from_it_on(self):
        inputs, target = next(iter(batches()))
        np.testing.assert_array_equal(inputs["past"][3, :, 0], np.arange(3, 8) * 2)
        np.testing.assert_array_equal(target[3, :, 0], np.arange(8, 11) * 2)
        np.testing.assert_array_equal(inputs["ahead"][3, :, 0], -np.arange(8, 11))

    def test_in_order_every_window_comes_once_the_last_batch_too(self):
        np.testing.assert_array_equal(np.concatenate(order(batches())), np.arange(5, 58))
        assert [len(b) for b in order(batches())] == [8] * 6 + [5]
        assert [len(b) for b in order(batches(drop_remainder=True))] == [8] * 6

    def test_each_epoch_is_another_permutation_of_all_windows(self):
        found = np.concatenate(order(batches(seed=1, epochs=3))).reshape(3, 53)
        for epoch in found:
            np.testing.assert_array_equal(np.sort(epoch), np.arange(5, 58))
            assert not np.array_equal(epoch, np.sort(epoch))
        assert len({tuple(e) for e in found}) == 3

    def test_training_started_again_sees_what_it_would_have_seen(self):
        whole = order(batches(seed=1, epochs=5))
        rest = order(batches(seed=1, epochs=5, first_epoch=2))
        assert len(whole) == 5 * 7
        for a, b in zip(whole[2 * 7 :], rest, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_the_seed_decides(self):
        def first(seed):
            return np.concatenate(order(batches(seed=seed)))

        np.testing.assert_array_equal(first(1), first(1))
        assert not np.array_equal(first(1), first(2))

    def test_the_length_is_known(self):
        assert batches().cardinality() == 7
        assert batches(seed=0, epochs=4, first_epoch=1, drop_remainder=True).cardinality() == 18

    def test_shapes_are_static_without_the_remainder(self):
        inputs, target = batches(seed=0, drop_remainder=True).element_spec
        assert (inputs["past"].shape, inputs["ahead"].shape, target.shape) == ((8, 5, 2), (8, 3, 1), (8, 3, 1))
        inputs, target = batches().element_spec
        assert (inputs["past"].shape, target.shape) == ((None, 5, 2), (None, 3, 1))

    def test_no_ahead_where_nothing_is_known(self):
        assert set(batches(ahead=False).element_spec[0]) == {"past"}

    def test_memory_stays_that_of_the_series(self):
        """4 MB of series would be 2 GB of windows; NumPy and TensorFlow together take a small part of that."""
        rows, spec = 100_000, WindowSpec(look_back=500, horizon=24, stride=1, season=24)
        past = np.zeros((rows, 10), np.float32)
        iter(batches())  # TensorFlow is up
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tracemalloc.start()
        first = origins(np.array([0, rows]), spec, 0, rows)
        for _ in window_dataset(past, past[:, :1], None, first, spec, 32, seed=0).take(50):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20e6
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 200e6

    def test_fit_takes_it(self):
        import keras

        model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3), keras.layers.Reshape((3, 1))])
        data = batches(seed=0, epochs=2, drop_remainder=True).map(lambda inputs, target: (inputs["past"], target))
        model.compile("sgd", "mse")
        history = model.fit(data, epochs=2, steps_per_epoch=6, verbose=0)
        assert len(history.history["loss"]) == 2
