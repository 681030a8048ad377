"""The tutorial's pictures, drawn from what its own code blocks leave behind.

python -m tests.seqlayers.tutorial_pictures              # runs the page's blocks, writes seqlayers/pictures
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from seqlayers import slots
from tests.seqlayers import tutorial
from tests.seqlayers.tutorial_sketches import mappings, transformer_block

Names = Mapping[str, Any]

BLUE, ORANGE, GREEN, GREY, PALE = "#0060a6", "#c05000", "#2e7d4f", "#5b6068", "#d9dde3"
COLOURS = {"simple_rnn": ORANGE, "lstm": BLUE, "gru": GREEN}
STYLE = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "image.aspect": "auto",
    "svg.hashsalt": "seqlayers",
}
#: Inches across the page, and dots to each.
WIDE, DPI = 7.6, 110


def figure(columns: int = 1, rows: int = 1, height: float = 2.5, width: float = WIDE, **how: Any) -> tuple[Figure, Any]:
    """A figure and its axes."""
    fig = Figure((width, height), dpi=DPI, layout="constrained", facecolor="white")
    return fig, fig.subplots(rows, columns, **how)


def waves(names: Names) -> Figure:
    fig, (left, right) = figure(2, width_ratios=(1.25, 1))
    x, there = names["noisy"]
    rows = np.flatnonzero(there.ravel())[:2]
    for shift, row, colour in zip((5, -5), rows, (BLUE, GREEN), strict=True):
        start = int(np.argmax([np.dot(x[row, s : s + 8, 0], np.sin(np.arange(8) * np.pi / 2)) for s in range(12)]))
        left.plot(x[row, :, 0] + shift, color=PALE, lw=1.5)
        left.plot(range(start, start + 8), x[row, start : start + 8, 0] + shift, color=colour, lw=2)
    left.axvspan(0, 12, color=PALE, alpha=0.35, lw=0)
    left.set(title="Two rows with a wave", xlabel="step", yticks=[], xlim=(0, 39))
    by_place(right, names, {"feed-forward net": names["dense"]})
    return fig


def by_place(axes: Any, names: Names, nets: Mapping[str, Any]) -> None:
    """How often a net is right by where the wave starts."""
    axes.axvspan(0, 11, color=PALE, alpha=0.35, lw=0)
    axes.axhline(0.5, color=GREY, lw=0.8, ls=":")
    drawn = [names["waves"](400, start, start + 1) for start in range(33)]
    for (name, net), colour in zip(nets.items(), (ORANGE, BLUE), strict=False):
        axes.plot([np.mean((np.asarray(net(x)) > 0.5) == there) for x, there in drawn], color=colour, lw=2)
        axes.text(32, 0.92 if name == "convolution" else 0.63, name, color=colour, ha="right", va="top")
    axes.text(0.4, 0.4, "in training", color=GREY, fontsize=8)
    axes.text(32, 0.43, "dotted: guessing", color=GREY, ha="right", va="top", fontsize=8)
    axes.set(title="Share of right answers", xlabel="the wave starts at step", ylim=(0.38, 1.02), xlim=(0, 32))


def embedding(names: Names) -> Figure:
    fig, axes = figure(height=3.0)
    table, words = names["table"], names["words"]
    for group, colour in zip(names["classes"], (BLUE, ORANGE, GREEN, GREY), strict=True):
        at = table[[words.index(word) for word in group]]
        axes.scatter(*at.T, color=colour, s=22)
        is_left = at[:, 0].mean() < table[:, 0].mean()
        beside = at[:, 0].max() if is_left else at[:, 0].min()
        middle, apart = at[:, 1].mean(), 0.07 * np.ptp(table[:, 1])
        for rank, i in enumerate(at[:, 1].argsort()):
            axes.annotate(
                "full stop" if group[i] == "." else group[i],
                (beside, middle + apart * (rank - (len(group) - 1) / 2)),
                (10 if is_left else -10, 0),
                textcoords="offset points",
                color=colour,
                ha="left" if is_left else "right",
                va="center",
            )
    axes.margins(0.08, 0.16)
    axes.set(title="The two numbers of each word", xlabel="first", ylabel="second")
    return fig


def convolution(names: Names) -> Figure:
    fig, (left, right) = figure(2, width_ratios=(1, 1.25))
    by_place(left, names, {"feed-forward net": names["dense"], "convolution": names["finder"]})
    for i, seen in enumerate(names["field"].values()):
        lags = np.flatnonzero(seen)
        right.barh([i] * len(lags), 0.86, left=lags - 0.43, height=0.62, color=BLUE)
        right.text(lags.max() + 1.5, i, f"{len(lags)}", va="center", ha="right", color=GREY)
    labels = [name.replace(" ", "") for name in names["field"]]
    right.set(title="Steps that the last output sees, by dilations", xlabel="steps back", xlim=(70, -1))
    right.set_yticks(range(len(labels)), labels)
    right.yaxis.tick_right()
    right.spines[["left"]].set_visible(False)
    right.tick_params(axis="y", length=0)
    return fig


def state(names: Names) -> Figure:
    fig, axes = figure(height=2.4)
    impulse = np.eye(60, dtype="float32")[None, :, 5:6] * [1, 0, 0]
    echo = np.asarray(names["rnn"](impulse))[0]
    echo = echo[:, np.abs(echo[5]).argsort()[::-1]]
    drawn = axes.imshow(echo.T, cmap="RdBu_r", vmin=-0.4, vmax=0.4, interpolation="nearest")
    axes.set(title="State h after each step; the only input is a one at step 5", xlabel="step", ylabel="unit")
    axes.set(yticks=[])
    fig.colorbar(drawn, ax=axes, ticks=(-0.4, 0, 0.4), pad=0.01)
    return fig


def unrolled(names: Names) -> str:
    """The picture of a diagnosis, with the norms that the block of section 5 finds by hand."""
    from pipelines.report.unrolled import Norms, picture

    back, states, W = names["back"], names["states"], names["W"]
    norms = np.linalg.norm(back, axis=1)
    inputs = [np.linalg.norm(W @ ((1 - states[-1 - k] ** 2) * back[k])) for k in range(5)]
    return picture("simple_rnn", 4, Norms([list(norms[:6])], inputs))


def gradient(names: Names) -> Figure:
    fig, axes = figure(height=2.7)
    for (scale, left), colour in zip(names["left"].items(), (ORANGE, BLUE, GREEN), strict=True):
        axes.semilogy(np.maximum(left, 1e-30), color=colour, lw=2)
        axes.text(60, left[60] * 40, f"{scale:g} × U", color=colour, va="bottom")
    axes.axhline(1, color=GREY, lw=0.8, ls=":")
    axes.set(title="Norm of ∂L/∂h, relative to the last step", xlabel="steps back", xlim=(0, 90), ylim=(1e-17, 1e9))
    return fig


def carried(names: Names) -> Figure:
    fig, both = figure(1, 2, 2.7, sharex=True)
    for axes, (name, p), colour in zip(both, names["chance"].items(), (BLUE, ORANGE), strict=True):
        row = p.reshape(-1, 8, 3)[-10:, 1].ravel()
        axes.bar(range(len(row)), row, color=[colour if i % 3 == 0 else PALE for i in range(len(row))], width=0.8)
        for cut in range(3, len(row), 3):
            axes.axvline(cut - 0.5, color=GREY, lw=0.6, ls=":")
        axes.set(title=name.capitalize(), ylim=(0, 1.05), yticks=(0, 0.5, 1), xlim=(-0.5, len(row) - 0.5))
    both[1].set(xlabel="step; dotted: the cuts between chunks")
    fig.supylabel("on the right number", fontsize=9)
    return fig


def gates(names: Names) -> Figure:
    fig, rows = figure(1, 4, 4.0, sharex=True, height_ratios=(1.2, 1, 1, 1))
    lstm, problems = names["solved"]["lstm"].rows[0].encoder[0], names["test"][0]
    x = problems[np.argmax(problems[:, 5, 1] * problems[:, 14, 1] * problems[:, 5, 0] * problems[:, 14, 0])]
    W, U, b = (np.asarray(weight) for weight in lstm.weights)
    h, cell, kept = np.zeros(len(U)), np.zeros(len(U)), []
    for x_t in x:
        i, f, g, o = np.split(x_t @ W + h @ U + b, 4)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        cell = f * cell + i * g
        h = o * np.tanh(cell)
        kept.append((i, i * g, cell))
    number, mark = x.T
    at, steps = np.flatnonzero(mark), np.arange(len(mark))
    gate, written, cells = np.array(kept).transpose(1, 2, 0)
    opens = np.argsort(gate[:, at].mean(axis=1) - gate.mean(axis=1))[::-1]  # the units that open most, above
    rows[0].bar(steps, number, color=[ORANGE if m else PALE for m in mark])
    for t in at:
        rows[0].text(t, number[t] + 0.04, f"{number[t]:.2f}", ha="center", color=ORANGE, fontsize=8)
    rows[0].set(title=f"The numbers, and the two to be added: {number[at].sum():.2f}", ylim=(0, 1.25), yticks=(0, 1))
    heat(rows[1], gate[opens], "Input gate i, all units", "Blues", 0)
    heat(rows[2], written[opens], "What is written, i ⊙ g", "RdBu_r", -1)
    heat(rows[3], cells[opens], "Cell c", "RdBu_r", -2)
    rows[3].set(xlabel="step", xticks=steps[::2])
    return fig


def heat(axes: Any, values: np.ndarray, title: str, colours: str, low: float) -> None:
    """Units by steps."""
    high = 1 if low == 0 else -low
    axes.imshow(values, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axes.set(title=title, yticks=[])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def reach(names: Names) -> Figure:
    fig, axes = figure(height=2.7)
    x = names["test"][0]
    row, step = x[..., 1].nonzero()  # of the marks, two a row
    for kind, model in names["solved"].items():
        moved = []
        for mark in (0, 1):
            more = x.copy()
            more[row[mark::2], step[mark::2], 0] += 0.1
            moved.append((np.asarray(model(more)) - np.asarray(model(x))).ravel() / 0.1)
        moved = np.stack(moved, axis=1).ravel()  # in the order of `step`
        means = [moved[step == 19 - back].mean() for back in range(20)]
        axes.plot(means, color=COLOURS[kind], lw=2, label=kind)
    axes.axhline(1, color=GREY, lw=0.8, ls=":")
    axes.legend(loc=(0.84, 0.2))
    axes.set(title="How far the answer moves with a marked number; dotted: as it should", xlabel="steps back")
    axes.set(xlim=(0, 19), ylim=(-0.1, 1.2), xticks=range(0, 20, 2))
    return fig


def sees(names: Names) -> Figure:
    fig, row = figure(4, height=2.3, sharey=True)
    titles = ("convolution, kernel 3", "gru", "bidirectional gru", "attention, window 4")
    for axes, seen, title in zip(row, names["sees"].values(), titles, strict=True):
        axes.imshow(seen, cmap=matplotlib.colors.ListedColormap(["#f2f4f6", BLUE]), aspect="equal", vmin=0, vmax=1)
        axes.set_xticks(np.arange(-0.5, 12), minor=True)
        axes.set_yticks(np.arange(-0.5, 12), minor=True)
        axes.grid(which="minor", color="white", lw=1)
        axes.tick_params(which="both", length=0)
        axes.set(title=title, xlabel="input", xticks=(0, 6, 11), yticks=(0, 6, 11))
        axes.spines[:].set_visible(False)
    row[0].set(ylabel="output")
    return fig


def attention(names: Names) -> Figure:
    fig, axes = figure(height=3.4, width=4.4)
    fresh, written = names["fresh"], names["written"]
    row = names["reverse"].rows[0]
    memory, decoder = row.encoder[0](row.embedding(fresh)), row.decoder[0]
    q = np.asarray(decoder.cross.query(decoder.layer(row.embedding(names["shifted"](written)))))
    k, v = (np.asarray(part)[:, 0] for part in decoder.cross.remember(memory))
    drawn = axes.imshow(names["attend"](q, k, v)[1].mean(axis=0), cmap="Blues", vmin=0, vmax=1, aspect="equal")
    axes.set_xticks(range(8), [f"{s}" for s in fresh[0]])
    axes.set_yticks(range(8), [f"{s}" for s in written[0]])
    axes.set(title="Mean of 100 sequences; the symbols are of one", xlabel="source", ylabel="writes")
    fig.colorbar(drawn, ax=axes, ticks=(0, 0.5, 1))
    return fig


def positions(names: Names) -> Figure:
    fig, (left, right) = figure(2, width_ratios=(1.5, 1))
    places = np.asarray(names["position"](np.zeros((1, 100, 64), "float32")))[0]
    drawn = left.imshow(places.T, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    left.set(title="p: a column for each position", xlabel="position t", ylabel="feature")
    fig.colorbar(drawn, ax=left, ticks=(-1, 0, 1), pad=0.01)
    for t, colour in ((20, BLUE), (50, ORANGE), (80, GREEN)):
        right.plot(places @ places[t] / 32, color=colour, lw=1.6)
        right.text(t, 1.03, f"{t}", color=colour, ha="center")
    right.set(title="Likeness to positions 20, 50, 80", xlabel="position t", ylim=(0, 1.15), xlim=(0, 99))
    return fig


def transformer(names: Names) -> Figure:
    fig = Figure((WIDE, 3.7), dpi=DPI, layout="constrained", facecolor="white")
    left, right = fig.subfigures(1, 2, width_ratios=(1, 1.4))
    transformer_block(left.subplots())
    row, fresh = names["gpt"].rows[0], names["fresh"]
    x = row.position(row.embedding(np.concatenate([fresh, names["shifted"](fresh[:, ::-1])], axis=1)))
    block = row.encoder[0]
    q, k, _ = (np.asarray(part) for part in block.attention.split(block.attention.projection(block.enter(0, x))))
    past = np.tri(q.shape[2], dtype=bool)
    weights = np.exp(np.where(past, q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]), -np.inf))
    weights /= weights.sum(axis=-1, keepdims=True)
    for i, axes in enumerate(right.subplots(2, 2, sharex=True, sharey=True).flat):
        axes.imshow(weights[:, i].mean(axis=0), cmap="Blues", vmin=0, vmax=1, aspect="equal")
        axes.axhline(7.5, color=GREY, lw=0.6, ls=":")
        axes.axvline(7.5, color=GREY, lw=0.6, ls=":")
        axes.set(title=f"head {i + 1}", xticks=(0, 8, 15), yticks=(0, 8, 15))
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    right.supxlabel("looks at step (8: the mark)", fontsize=9)
    right.supylabel("step", fontsize=9)
    return fig


def memory(names: Names) -> Figure:
    fig, axes = figure(height=2.7)
    for shade, steps in zip((0.3, 0.5, 0.7, 1.0), (2, 10, 100, 1000), strict=True):
        layer = slots.build("encoder", {"kind": "min_gru", "units": 64, "memory": steps})
        moved = np.linalg.norm(names["influence"](layer, names["x"])[::-1, -1], axis=-1)
        axes.semilogy(np.maximum(moved, 1e-9), color=matplotlib.colormaps["Blues"](shade), lw=2, label=f"{steps}")
    axes.legend(title="memory", loc="upper right", ncols=4)
    axes.set(title="How far the last state of min_gru moves with an input", xlabel="steps back")
    axes.set(xlim=(0, 99), ylim=(1e-6, 10))
    return fig


def mapping(names: Names) -> Figure:
    fig, axes = figure(height=1.9)
    mappings(axes)
    return fig


#: File → how it is drawn.
DRAWN = {
    "waves.png": waves,
    "embedding.png": embedding,
    "convolution.png": convolution,
    "state.png": state,
    "unrolled.svg": unrolled,
    "gradient.png": gradient,
    "carried.png": carried,
    "gates.png": gates,
    "reach.png": reach,
    "sees.png": sees,
    "attention.png": attention,
    "positions.png": positions,
    "transformer.png": transformer,
    "memory.png": memory,
    "mappings.png": mapping,
}


def main() -> None:
    """Run the page section by section, and draw after each what stands in it."""
    tutorial.PICTURES.mkdir(exist_ok=True)
    names: dict[str, Any] = {"__name__": "tutorial"}
    for section, blocks in itertools.groupby(tutorial.blocks(), lambda block: block.section):
        for block in blocks:
            tutorial.run(block, names)
        for name in tutorial.pictures(section):
            save(tutorial.PICTURES / name, names)
            print(f"{name}: {(tutorial.PICTURES / name).stat().st_size / 1024:.0f} KiB")


def save(path: Path, names: Names) -> None:
    with matplotlib.rc_context(STYLE):
        drawn = DRAWN[path.name](names)
        if isinstance(drawn, str):
            path.write_text(drawn, encoding="utf-8")
            return
        dots = io.BytesIO()
        drawn.savefig(dots)
    few = Image.open(dots).convert("RGB").quantize(128, dither=Image.Dither.NONE)  # a third of the bytes
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
