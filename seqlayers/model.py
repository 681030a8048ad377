"""SequenceModel: a row of slots, or several rows joined, as one Keras model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from seqlayers import slots
from seqlayers.averaging import settled
from seqlayers.head.logits import Logits
from seqlayers.inputs import Inputs
from seqlayers.row import LISTS, SINGLE, Configuration, Row
from seqlayers.slots import ConfigurationError, Kind

JOINS = ("concatenate", "blend", "sum", "average")


@keras.saving.register_keras_serializable("seqlayers")
class SequenceModel(keras.Model):
    r"""A sequence model, built from the mapping that stands under `model:` in a configuration file.

    Either one row of slots, or several rows, of which `branches` lists the further ones, joined in one of these ways:

    - `concatenate`: the branches' features side by side, before the one `head` given beside `branches`;
    - `blend`: the row beside `branches` (if any) and each branch end in a head of their own, and
      \(y = \sum_i w_i y_i\) with learned weights w = softmax(v), one set a step of the horizon and target;
    - `sum`: likewise with \(y = \sum_i y_i\), so that each row learns what the others leave over;
    - `average`: likewise with \(y = \sum_i w_i \log \mathrm{softmax}(y_i)\) for heads of classes. Each row is trained
      by its own loss, as if it were alone, and `settle` fits the weights w ≥ 0 on validation.

    Args:
        branches: row configurations (see `seqlayers.row.Row`).
        join: how rows come together.
        **row: the slots of a row. With `concatenate`, the `normalise` and `head` that all branches share.

    Call arguments:
        inputs: a sequence (batch, time, features), or ids (batch, time); or a mapping `{past, ahead, target}` of the
            sequence read, what is known of the horizon (batch, horizon, known features), and for a decoder the target
            shifted by one step.

    Returns:
        The head's output; for a forecast (batch, horizon, targets), for labels (batch, time, classes).

    Example:
        >>> model = SequenceModel(
        ...     embedding={"kind": "value", "units": 32},
        ...     encoder=[{"kind": "gru", "units": 32}],
        ...     pooling={"kind": "last"},
        ...     head={"kind": "forecast", "horizon": 24, "targets": 1},
        ... )
        >>> model(keras.random.normal((8, 120, 5))).shape
        (8, 24, 1)
    """

    def __init__(
        self,
        branches: Sequence[Configuration] | None = None,
        join: str = "concatenate",
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        **row: Any,
    ):
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.join = join
        if join not in JOINS:
            raise ConfigurationError("model.join", f"{join!r} given.", ", ".join(JOINS))
        if branches is None:
            self.rows, self.shared = [_row(row, "model")], None
            if self.rows[0].head is None:
                raise ConfigurationError("model.head", "a model needs a head.", ", ".join(slots.catalogue()["head"]))
            return
        self.beside = join != "concatenate" and bool(row)
        if isinstance(branches, Mapping) or len(branches) + self.beside < 2:
            raise ConfigurationError("model.branches", "there must be two rows to join, at least.", "a list of rows")
        self.rows = [_row(b, f"model.branches.{i}") for i, b in enumerate(branches)]
        if self.beside:
            self.rows.insert(0, _row(row, "model"))
        self.shared = _row(row, "model") if join == "concatenate" else None
        self._check_branches()

    def _check_branches(self) -> None:
        if self.join == "concatenate":
            assert self.shared is not None
            shared = self.shared
            between = (shared.embedding, shared.position, shared.encoder, shared.decoder, shared.pooling)
            if self.shared.head is None or any(between) or self.shared.channels != "mixed":
                raise ConfigurationError("model", "joined branches share a head, and nothing before it but normalise.")
            if shared.head.per_step:
                problem = f"'{shared.head.kind}' gives an output for each step, but joined branches are pooled."
                raise ConfigurationError("model.head", problem, "a head such as 'classify', which gives one output")
            for row in self.rows:
                if row.head is not None or row.normalise is not None:
                    raise ConfigurationError(row.place, "head and normalise stand beside `branches`, not inside one.")
                if row.pooling is None:
                    raise ConfigurationError(
                        f"{row.place}.pooling", "a branch is pooled before it is joined.", "a kind"
                    )
            return
        for row in self.rows:
            if row.head is None:
                raise ConfigurationError(f"{row.place}.head", f"with join: {self.join} each row needs a head.")
            if self.join == "average" and not isinstance(row.head, Logits):
                problem = f"head '{row.head.kind}' gives no probabilities to be averaged."
                raise ConfigurationError(f"{row.place}.head", problem, "a head of classes; or join: blend")
        kinds_of_output = {row.head.output_kind for row in self.rows}
        if len(kinds_of_output) > 1:
            raise ConfigurationError(
                "model.branches", f"heads of different outputs: {sorted(map(str, kinds_of_output))}."
            )

    @classmethod
    def for_task(cls, configuration: Configuration, **given: Any) -> SequenceModel:
        """The model of a configuration, with what the task decides (horizon, targets, …) filled into its heads."""
        unknown = set(configuration) - {*slots.SLOTS, "branches", "join", "channels"}
        if unknown:
            accepted = ", ".join([*slots.SLOTS, "branches", "join", "channels"])
            raise ConfigurationError(f"model.{sorted(unknown)[0]}", "no such part of a model.", accepted)
        configuration = _complete_row(configuration, given, "model")
        if configuration.get("branches") is not None:
            if not isinstance(configuration["branches"], list | tuple):
                raise ConfigurationError("model.branches", f"{configuration['branches']!r} given.", "a list of rows")
            configuration["branches"] = [
                _complete_row(b, given, f"model.branches.{i}") for i, b in enumerate(configuration["branches"])
            ]
        return cls(**configuration)

    @property
    def head(self) -> Any:
        """The head that gives the output; of joined ones the first that is trained, whose loss is the model's."""
        if self.shared is not None:
            return self.shared.head
        return next((row for row in self.rows if not row.solved), self.rows[0]).head

    def kinds(self) -> list[Kind]:
        return [k for row in [*self.rows, *([self.shared] if self.shared else [])] for k in row.kinds()]

    def summary_tag(self) -> str:
        """The slots in short: `value>gru>last>forecast`, rows joined by their join's sign."""
        sign = {"concatenate": " | ", "blend": " ~ ", "sum": " + ", "average": " & "}[self.join]
        tag = sign.join(row.summary_tag() for row in self.rows)
        return f"({tag})>{self.shared.summary_tag()}" if self.shared else tag

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        } | self.to_configuration()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> SequenceModel:
        config = dict(config)
        config["dtype"] = keras.saving.deserialize_keras_object(config.get("dtype"))
        return cls(**config)

    def to_configuration(self) -> dict[str, Any]:
        """What stands under `model:` in a configuration, every default written out."""
        if len(self.rows) == 1:
            return self.rows[0].to_configuration()
        if self.shared is not None:
            beside, branches = self.shared.to_configuration(), self.rows
            beside.pop("encoder")
        else:
            beside = self.rows[0].to_configuration() if self.beside else {}
            branches = self.rows[self.beside :]
        return {"join": self.join, **beside, "branches": [row.to_configuration() for row in branches]}

    def build(self, input_shape: Any) -> None:
        for row in (*self.rows, *([self.shared] if self.shared else [])):
            row.check_window(input_shape)  # not in a call, where Keras would put an error of its own around it
        if self.join == "blend" and len(self.rows) > 1:
            shape = (len(self.rows), *self.head.mixture_shape)
            self.mixture = self.add_weight(name="mixture", shape=shape, initializer="zeros")
        elif self.join == "average" and len(self.rows) > 1:
            equal = keras.initializers.Constant(1 / len(self.rows))
            self.mixture = self.add_weight(name="mixture", shape=(len(self.rows),), initializer=equal, trainable=False)

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Make the weights of a saved model: shapes are run through it, because each kind builds when it is called."""
        shapes = config.get("input_shape") or config["shapes_dict"]["inputs_shape"]

        def symbolic(shape: Any) -> Any:
            return keras.KerasTensor(tuple(shape), "int32" if len(shape) == 2 else None)  # ids are (batch, time)

        self({k: symbolic(s) for k, s in shapes.items()} if isinstance(shapes, Mapping) else symbolic(shapes))

    def get_compile_config(self) -> None:
        """Nothing: the loss is the head's own, so a loaded model is compiled anew before it is trained on."""

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        if len(self.rows) == 1:
            return self.rows[0](inputs, mask=mask, training=training)
        if self.join == "concatenate":
            return self._concatenate(inputs, mask, training)
        trained = [row for row in self.rows if not row.solved]
        if self.join == "average" and training and trained:  # apart, for a loss of its own each
            return ops.stack([row(inputs, mask=mask, training=True) for row in trained], axis=1)
        return self._joined([row(inputs, mask=mask, training=training) for row in self.rows])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: a forecast has no padding."""

    def _joined(self, outputs: list[Any]) -> Any:
        """The rows' outputs as one, by `sum`, `blend` or `average`."""
        if self.join == "average":
            outputs = [self.mixture[i] * ops.log_softmax(y) for i, y in enumerate(outputs)]
        if self.join == "blend":
            weights = ops.softmax(self.mixture, axis=0)  # (rows, horizon, targets)
            outputs = [weights[i] * y for i, y in enumerate(outputs)]
        return sum(outputs[1:], outputs[0])

    def _concatenate(self, inputs: Any, mask: Any, training: bool | None) -> Any:
        assert self.shared is not None
        given, masks = Inputs.of(inputs), Inputs.of(mask)
        normalise = self.shared.normalise
        x, statistics = (given.past, None) if normalise is None else normalise(given.past, mask=masks.past)
        features = [row(x, mask=masks.past, training=training) for row in self.rows]
        out = self.shared.head(ops.concatenate(features, axis=-1), ahead=given.ahead, training=training)
        return normalise.undo(out, statistics) if normalise is not None and self.head.forecasts else out

    def adapt(self, train: Any, validation: Any) -> None:
        """Fit what is fitted without gradients, before `fit`; both are re-iterable batches of (inputs, target)."""
        for row in self.rows:
            if row.adapts:
                row.head.adapt(train, validation)

    def settle(self, validation: Any) -> None:
        """Fit the weights of `join: average` where what is said is likeliest, after `fit`; else there is nothing to do.

        Args:
            validation: re-iterable batches of (inputs, target).
        """
        if self.join == "average" and len(self.rows) > 1:
            self.mixture.assign(settled(self.rows, validation))

    @property
    def needs_fit(self) -> bool:
        """Whether gradients have anything to do."""
        return bool(self.trainable_variables)

    def loss_function(self, target: Any, output: Any) -> Any:
        """The head's loss, a value for each row (batch,); training with `average`, the mean of all heads' losses."""
        trained = [row.head for row in self.rows if not row.solved]
        if self.join == "average" and len(output.shape) > 2 + self.head.per_step:
            return sum(head.loss(target, output[:, i]) for i, head in enumerate(trained)) / len(trained)
        return self.head.loss(target, output)

    def initial_state(self, batch: int, source: Any = None, mask: Any = None) -> list[Any]:
        """The state of each row before the first step (see `seqlayers.row.Row.initial_state`)."""
        if self.shared is not None and self.shared.normalise is not None:
            self.shared.normalise.initial_state(batch)  # refuses where it needs the whole window
        return [row.initial_state(batch, source, mask) for row in self.rows]

    def stream(
        self, x: Any, state: Sequence[Any], ahead: Any = None, training: bool | None = None
    ) -> tuple[Any, list[Any]]:
        """A chunk (batch, time, …) and a state → the model's output, the state after the chunk's last step."""
        pairs = [row.stream(x, s, ahead, training) for row, s in zip(self.rows, state, strict=True)]
        outputs, after = [p[0] for p in pairs], [p[1] for p in pairs]
        if self.join == "concatenate" and self.shared is not None:
            features = ops.concatenate([y[:, -1] for y in outputs], axis=-1)
            return self.shared.head(features, ahead=ahead, training=training), after
        trained = [y for row, y in zip(self.rows, outputs, strict=True) if not row.solved]
        if self.join == "average" and training and trained and len(outputs) > 1:  # as `call` gives them
            return ops.stack(trained, axis=1), after
        return outputs[0] if len(outputs) == 1 else self._joined(outputs), after

    def step(self, x_t: Any, state: Sequence[Any], ahead: Any = None) -> tuple[Any, list[Any]]:
        """x_t (batch, features), or ids (batch,); state → the model's output after it, the next state; in inference."""
        pairs = [row.step(x_t, s, ahead) for row, s in zip(self.rows, state, strict=True)]
        outputs, after = [p[0] for p in pairs], [p[1] for p in pairs]
        if self.join == "concatenate" and self.shared is not None:
            return self.shared.head(ops.concatenate(outputs, axis=-1), ahead=ahead, training=False), after
        return outputs[0] if len(outputs) == 1 else self._joined(outputs), after


def _row(configuration: Configuration, path: str) -> Row:
    if not isinstance(configuration, Mapping):
        raise ConfigurationError(path, f"{configuration!r} given.", "a mapping of slots to kinds")
    known = (*slots.SLOTS, "channels", "targets")
    for key in configuration:
        if key not in known:
            raise ConfigurationError(f"{path}.{key}", "no such slot here.", ", ".join(known))
    return Row(**configuration, path=path)


def _complete_row(row: Configuration, given: Mapping[str, Any], path: str) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise ConfigurationError(path, f"{row!r} given.", "a mapping of slots to kinds")
    row = {k: v for k, v in row.items() if v is not None}
    if row.get("channels") == "independent":
        row["targets"] = given.get("targets")
        given = {**given, "targets": 1}
    for slot in SINGLE:
        if slot in row:
            row[slot] = slots.complete(slot, row[slot], given, f"{path}.{slot}")
    for slot in LISTS:
        if isinstance(row.get(slot), list | tuple):
            row[slot] = [slots.complete(slot, c, given, f"{path}.{slot}.{i}") for i, c in enumerate(row[slot])]
    return row
