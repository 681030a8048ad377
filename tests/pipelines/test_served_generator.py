"""A registered generator answers prompts through MLflow, with the settings of the draw as its parameters."""

from __future__ import annotations

import mlflow
import numpy as np
import pytest

from pipelines import served_model
from pipelines.promote import SERVED_MODEL, signature_of
from pipelines.served_model import ServedModel
from pipelines.tasks.generate_serving import TokenServable
from pipelines.tasks.note_serving import NoteServable
from tests.pipelines import generators


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    data = generators.corpus()
    servable = TokenServable("text", generators.of_tokens(data.transform.size), data, "character")
    return generators.export(servable, tmp_path_factory.mktemp("text")) / "saved_model"


def test_prompts_are_continued_with_seeds_that_count_on(saved_model):
    model = ServedModel(str(saved_model))
    two = model.predict({"prompt": np.array(["the c", "the c"], object)}, {"length": 20, "seed": 4})["text"]
    one = model.predict({"prompt": np.array(["the c"], object)}, {"length": 20, "seed": 5})["text"]
    assert [len(text) for text in two] == [20, 20]
    assert two[1] == one[0] != two[0]
    assert len(model.predict({"prompt": np.array(["a"], object)})["text"][0]) == served_model.SETTINGS["length"]


def test_a_missing_prompt_is_told(saved_model):
    with pytest.raises(ValueError, match=r"The input 'prompt' is missing\. Accepted: prompt"):
        ServedModel(str(saved_model)).predict({"text": np.array(["a"], object)})


@pytest.mark.filterwarnings("ignore:.*input example")
def test_mlflow_knows_the_settings(saved_model, tmp_path):
    signature = signature_of(saved_model)
    assert signature.inputs.input_names() == ["prompt"]
    assert {p.name: p.default for p in signature.params.params} == {
        name: served_model.SETTINGS[name] for name in ("length", "seed", "temperature", "top_k", "top_p")
    }
    mlflow.pyfunc.save_model(
        str(tmp_path / "model"),
        loader_module=SERVED_MODEL.stem,
        code_paths=[str(SERVED_MODEL)],
        data_path=str(saved_model),
        signature=signature,
        pip_requirements=[],
    )
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    found = loaded.predict({"prompt": np.array(["the c"], object)}, params={"length": 7, "top_k": 1})
    assert len(found["text"][0]) == 7


@pytest.mark.slow
def test_music_goes_on_from_an_opening(tmp_path):
    servable = NoteServable("walks", generators.of_notes(), generators.music())
    model = ServedModel(str(generators.export(servable, tmp_path) / "saved_model"))
    opening, _ = servable.pieces(20, 0, 8)
    assert model.predict({"opening": opening}, {"frames": 5})["notes"].shape == (len(opening), 5, generators.PITCHES)
