"""Every format of one model: written, proven, and put in place only when all of it is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path

from pipelines.export import litert, saved_model, verify
from pipelines.export.servable import FILES, FORMATS, ExportRow, Servable

#: Conversions and checks are single-threaded for the most part; more than two at once mislead about latency.
WORKERS = 2


def export_all(
    servable: Servable,
    folder: Path,
    formats: Sequence[str] = FORMATS,
    *,
    examples: int = 2000,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> list[ExportRow]:
    """Write `servable` to `folder` in every format, run each file in a fresh process, and return the table.

    Everything is made in `folder` with `.partial` behind its name and renamed at the end, so that a folder of this
    name is complete or absent; one from before is replaced. Only what was proven is in it, beside `model.json` (the
    contract) and `verification.json` (the table).

    Args:
        formats: any of `FORMATS`.
        examples: held-out examples that each file is run on. A LiteRT file takes them one at a time, and runs as
            many as fit into a few seconds; the row's note then says how many.
        seed: which examples.
        progress: called with a line of text whenever a format is done.

    Raises:
        ValueError: a format that does not exist.
    """
    unknown = [f for f in formats if f not in FORMATS]
    if unknown:
        raise ValueError(f"No export format '{unknown[0]}'. Accepted: {', '.join(FORMATS)}.")
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    work = partial / "work"
    work.mkdir(parents=True)
    try:
        rows = _prove_all(servable, partial, work, formats, examples, seed, progress or (lambda _: None))
        for row in rows:
            if row.status != "proven":
                _remove(partial / FILES[row.format])
        rows = [replace(r, path=f"{folder.name}/{FILES[r.format]}") if r.status == "proven" else r for r in rows]
        shutil.rmtree(work)
        (partial / "verification.json").write_text(json.dumps([asdict(r) for r in rows], indent=1), encoding="utf-8")
        _put_in_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return rows


def _prove_all(
    servable: Servable,
    out: Path,
    work: Path,
    formats: Sequence[str],
    examples: int,
    seed: int,
    progress: Callable[[str], None],
) -> list[ExportRow]:
    whole = out / FILES["saved_model"] if "saved_model" in formats else work / "any_batch"
    contract = saved_model.write(servable, whole)
    (out / "model.json").write_text(json.dumps(contract, indent=1, ensure_ascii=False), encoding="utf-8")
    refused = {f: why for f in formats if (why := litert.refusal(servable.models(), f))}
    to_convert = [f for f in formats if f in litert.NUMBERS and f not in refused]
    if to_convert:
        saved_model.write_for_device(servable, work / "batch_1")
    if not formats:
        return []
    references = verify.references(servable, work, examples, seed, device=bool(to_convert))

    def prove(format: str) -> ExportRow:
        if format in refused:
            return ExportRow(format, "refused", note=refused[format])
        if format in to_convert and (why := conversion.result()[format]):
            return ExportRow(format, "failed", note=f"Not converted: {why}.")
        return verify.check(format, out / FILES[format], references[format in litert.NUMBERS], work)

    rows = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        conversion = pool.submit(litert.convert, work / "batch_1", out, to_convert)
        # What needs no conversion goes first, while the converter has the other worker.
        jobs = {pool.submit(prove, f): f for f in sorted(formats, key=to_convert.__contains__)}
        try:
            for job in as_completed(jobs):
                rows[jobs[job]] = row = job.result()
                progress(f"{row.format}: {row.status}" + (f" ({row.note})" if row.note else ""))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [rows[f] for f in formats]


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _put_in_place(partial: Path, folder: Path) -> None:
    """Rename `partial` to `folder`; what stood there before is moved aside first, then deleted."""
    before = folder.with_name(folder.name + ".old")
    shutil.rmtree(before, ignore_errors=True)
    if folder.exists():
        folder.rename(before)
    partial.rename(folder)
    shutil.rmtree(before, ignore_errors=True)
