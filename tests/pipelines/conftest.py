"""The smallest model there is, exported, for tests of what becomes of an export."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory):
    """A SavedModel that forecasts twice the last reading, one second later."""
    import tensorflow as tf

    class Doubler(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec([None, 4, 2], tf.float32, "readings"),
                tf.TensorSpec([None, 4], tf.int64, "times"),
            ]
        )
        def serve(self, readings, times):
            return {"forecast": readings[:, -1:, :1] * 2, "forecast_times": times[:, -1:] + 1}

    folder = tmp_path_factory.mktemp("exports") / "saved_model"
    module = Doubler()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return folder
