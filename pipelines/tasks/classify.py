"""The classifying family: texts with labels, set beside the majority class and weighted n-grams."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from data.leaks import Check
from data.splits import PARTS
from data.text_batches import Labelled
from data.text_options import TextOptions
from data.text_source import locate_texts
from data.texts import TextData
from data.unlabelled import Unlabelled, read_unlabelled
from pipelines import config
from pipelines.solved import Solved
from pipelines.task import Candidate, Column, Evaluation, Say, Task, Verdict, build, solvable
from pipelines.tasks.classify_evaluation import BATCH, ClassifyEvaluator, Majority, fixed_length
from pipelines.tasks.classify_serving import TextServable
from pipelines.tasks.paired_verdict import Measure, verdict
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel

#: The baseline that is always there.
MAJORITY = "majority class"
#: What classifiers are compared by.
ACCURACY = Measure(
    "accuracy",
    1,
    share=lambda value: f"right in {value:.2%} of the texts",
    gap=lambda value: f"{100 * value:.2f} points",
    end=lambda value: f"{100 * value:+z.2f}",
    naive="always saying the commonest class",
)
#: What tells those apart that are right about equally often: far fewer texts do for it.
LOG_LOSS = Measure.of_loss(
    "log_loss", "at a log loss of {:.4f}".format, "always saying how often each class is", pairs="log_losses"
)


class Classify(Task):
    """One of several classes for a text; see `data.text_options.TextOptions` for the settings."""

    family = "classify"
    sample: Any = None
    data: TextData
    unlabelled: Unlabelled | None = None
    #: The baseline whose word on texts without labels the model learns from.
    _teacher: Candidate | None = None

    @property
    def title(self) -> str:
        names = self.data.classes
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        return f"{self.configuration.title}: {shown}"

    def prepare(self, source: str, data_dir: Path | None, say: Say) -> None:
        options = config.check(TextOptions, self.configuration.data, "data")
        frame, found = locate_texts(source, sample=type(self).sample, data_dir=data_dir)
        say(f"Read {len(frame):,} texts from {found.name}" + (" (SAMPLE)" if found.sample else ""))
        if found.note:
            say(found.note)
        self.data = data = TextData.prepare(frame, found, options)
        say(
            f"Classes: {', '.join(data.classes)}; texts: "
            + ", ".join(f"{part} {data.count(part):,}" for part in PARTS)
            + f"; vocabulary of {data.transform.size:,} {options.tokens}"
        )
        for r in data.repairs:
            say(str(r))
        self._refuse()
        self._prepare_unlabelled(say)
        say(f"{len(self.checks)} leak checks passed")

    def _refuse(self) -> None:
        """What the data cannot be asked for, before anything is written."""
        settings, options = self.configuration, self.data.options
        for name, simple in settings.baselines.items():
            self._unfitted(name, simple)
        if settings.decision.threshold != 0.5 and len(self.data.classes) > 2:
            given = f"{settings.decision.threshold!r} given, and there are {len(self.data.classes)} classes."
            raise ConfigurationError("decision.threshold", given, "0.5: of several classes the likeliest is said")
        model = SequenceModel.for_task(settings.model, **self.model_arguments())
        if settings.unlabelled is not None:
            self._refuse_unlabelled(model)
        if fixed_length(model, self.data) and any(width < options.longest for width in options.buckets):
            kind = next(k for k in model.kinds() if "dynamic_time" in k.refusals())
            raise ConfigurationError(
                "data.buckets",
                f"{kind.slot} '{kind.kind}' has weights for one length, and texts are padded to several.",
                f"[], with data.longest (now {options.longest:,}) no longer than texts need",
            )

    def _refuse_unlabelled(self, model: SequenceModel) -> None:
        if not self.configuration.baselines:
            problem = "there is no baseline, whose word on texts without labels the model could learn from."
            raise ConfigurationError("unlabelled", problem, "one among `baselines`, such as {kind: naive_bayes}")
        if all(row.solved for row in model.rows):
            problem = "nothing in the model learns from texts without labels."
            raise ConfigurationError("unlabelled", problem, "a model with a head that is trained")

    def _prepare_unlabelled(self, say: Say) -> None:
        """Read the texts without labels, where there are any."""
        if self.configuration.unlabelled is None:
            return
        self.unlabelled = found = read_unlabelled(Path(self.configuration.unlabelled), self.data)
        say(f"Read {len(found.texts):,} texts without labels from {found.source.name}")
        for r in found.repairs:
            say(str(r))

    @property
    def checks(self) -> list[Check]:
        return self.data.checks + (self.unlabelled.checks if self.unlabelled else [])

    def fingerprint(self) -> str:
        digest = hashlib.sha256(repr((self.data.classes, self.data.transform.to_json())).encode())
        if self.unlabelled is not None:
            digest.update(self.unlabelled.source.sha256.encode())
        for part in PARTS:
            digest.update(self.data.labels(part).tobytes())
            for text in self.data.texts(part):
                digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        data = self.data
        rows = sum(data.count(part) for part in PARTS)
        return self.described(data.source, data.repairs, self.checks, rows=rows) | {
            "texts": self._texts(),
            "question": {"classes": list(data.classes)},
            "unlabelled": self.unlabelled
            and {
                "name": self.unlabelled.source.name,
                "sha256": self.unlabelled.source.sha256,
                "texts": len(self.unlabelled.texts),
                "teacher": next(iter(self.configuration.baselines)),
                "repairs": [dataclasses.asdict(repair) for repair in self.unlabelled.repairs],
            },
            "splits": [self._split(part) for part in PARTS],
        }

    def _texts(self) -> dict[str, Any]:
        data, options = self.data, self.data.options
        lengths = np.array([len(ids) for ids in data.ids("train")])
        test = np.concatenate([*data.ids("test"), np.zeros(0, "int32")])
        texts = data.texts("train")
        full = [text for text, length in zip(texts, lengths, strict=True) if length == options.longest]
        return {
            "classes": list(data.classes),
            "tokens": options.tokens,
            "vocabulary": data.transform.size,
            "longest": options.longest,
            "median_length": float(np.median(lengths)),
            "p95_length": float(np.percentile(lengths, 95)),
            "cut": sum(data.transform.length(text) > options.longest for text in full) / len(texts),
            "unknown": float(np.mean(test == 1)),
            "padding": data.padding(min(self.configuration.train.batch_size, len(texts))),
            "duplicates": len(texts) - len(set(texts)),
        }

    def _split(self, part: str) -> dict[str, Any]:
        data = self.data
        groups = data.groups(part)
        return {
            "part": part,
            "rows": data.count(part),
            "groups": None if groups is None else len(set(groups)),
            "classes": dict(data.counts()[part]),
        }

    def settings(self) -> dict[str, Any]:
        return self.data.options.model_dump(mode="json")

    def model_arguments(self) -> dict[str, Any]:
        return {"classes": len(self.data.classes), "vocabulary": self.data.transform.size}

    def training(self, batch_size: int, *, seed: int, first_epoch: int, epochs: int) -> tf.data.Dataset:
        size = self._size(batch_size)
        return self._learnt.dataset(size, seed=seed, first_epoch=first_epoch, epochs=epochs, static=True)

    def steps_per_epoch(self, batch_size: int) -> int:
        return self._learnt.buckets.steps(self._size(batch_size), static=True)

    def _size(self, batch_size: int) -> int:
        return min(batch_size, self.data.count("train"))

    def ordered(self, part: str, batch_size: int) -> tf.data.Dataset:
        return self.data.labelled(part).dataset(batch_size)

    def baselines(self, say: Say) -> list[Candidate]:
        majority = Majority(np.bincount(self.data.labels("train"), minlength=len(self.data.classes)))
        found = [Candidate(MAJORITY, "baseline", majority)]
        for name, options in self.configuration.baselines.items():
            model = self._unfitted(name, options)
            build(model, self)
            seconds = self._solved.solve(model, self._batches)
            say(f"Solved the {name} in {seconds:.1f} s")
            found.append(Candidate(name, "baseline", model, seconds))
        self._teacher = next(iter(found[1:]), None)
        return found

    @cached_property
    def _solved(self) -> Solved:
        return Solved()

    def _batches(self) -> tuple[tf.data.Dataset, tf.data.Dataset]:
        return self.ordered("train", BATCH), self.ordered("validation", BATCH)

    def adapt(self, model: SequenceModel, batch_size: int) -> float:
        """As of any task, but that a row that stands among the baselines takes their solution over."""
        return self._solved.adapt(model, self._batches)

    @cached_property
    def _learnt(self) -> Labelled:
        """What gradients are taken from: train, and the texts without labels, by what the first baseline says of them.

        A label is drawn for each anew in each epoch, by the baseline's calibrated probabilities, so that on average the
        loss is the cross-entropy with these.
        """
        if self.unlabelled is None:
            return self.data.labelled("train")
        assert self._teacher is not None
        ids = self.data.transform.ids_numpy(self.unlabelled.texts)
        return self.data.labelled("train", ids, self._evaluator.said_of(self._teacher, ids))

    def _unfitted(self, name: str, options: Any) -> SequenceModel:
        """A baseline as its options say, to be solved; wrong ones are refused."""
        where = f"baselines.{name}"
        if name == MAJORITY:
            raise ConfigurationError(where, "the name is taken, and it is always there.", "another")
        if not isinstance(options, dict) or "kind" not in options:
            raise ConfigurationError(where, f"{options!r} given.", "{kind: naive_bayes, …}")
        return solvable(name, options, self.model_arguments(), "solve: logistic")

    @cached_property
    def _evaluator(self) -> ClassifyEvaluator:
        return ClassifyEvaluator(self.data)

    def calibrate(self, candidates: list[Candidate]) -> None:
        self._evaluator.calibrate(candidates, self.configuration.decision.threshold)

    def evaluate(self, part: str, candidates: list[Candidate]) -> Evaluation:
        return self._evaluator.evaluate(part, candidates)

    def columns(self, rows: list[dict[str, Any]]) -> list[Column]:
        return [
            Column("accuracy", "accuracy", ".2%", max),
            Column("log_loss", "log loss", ".4f", min),
            Column("f1", "F1", ".4f", max),
            Column("auc", "AUC", ".4f", max),
            Column("skill", "skill", "+.1%", max),
        ]

    def verdict(self, test: Evaluation, validation: Evaluation | None = None) -> Verdict:
        return verdict(test, validation or test, ACCURACY, self.configuration.export.candidate, closer=LOG_LOSS)

    def shipped(self, evaluation: Evaluation, chosen: Candidate, folder: Path) -> dict[str, Any]:
        return self._evaluator.shipped(chosen)

    def servable(self, candidate: Candidate) -> TextServable:
        return TextServable(self.name, candidate, self.data)
