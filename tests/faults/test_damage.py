"""Files cut short or with a flipped bit: found by name, then refused or made again, never used."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from common import digests, only_line, pcpg, said, shell

from pcpg.mouths.store import ClipStore
from pcpg.reader import checkpoint
from pcpg.report.tables.write import write_table
from pcpg.settings.load import load
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths


def flip(path: Path, place: int) -> None:
    """One bit of the byte at `place`."""
    raw = bytearray(path.read_bytes())
    raw[place] ^= 4
    path.write_bytes(raw)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def same(one, other) -> bool:
    """Whether two contents of checkpoints are equal to the bit."""
    if isinstance(one, dict):
        return isinstance(other, dict) and list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def test_a_flipped_bit_anywhere_in_a_checkpoint(unbroken, tmp_path):
    """400 places over the whole file, its middle among them: refused by name, or it changes nothing that is read."""
    source, path = unbroken / "runs/smoke/lrw/k5s1/seed1/model.pt", tmp_path / "model.pt"
    wanted, size, refused = checkpoint.load(source), source.stat().st_size, 0
    for place in [size // 2, *random.Random(0).sample(range(size), 400)]:
        shutil.copy(source, path)
        flip(path, place)
        try:
            assert same(checkpoint.load(path), wanted), place
        except InputError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        assert place != size // 2 or refused == 1
    assert refused > 300


def test_a_checkpoint_cut_short(unbroken, tmp_path):
    source, path = unbroken / "runs/smoke/lrw/k5s1/seed1/model.pt", tmp_path / "model.pt"
    for size in np.linspace(0, source.stat().st_size - 1, 40, dtype=int):
        shutil.copy(source, path)
        cut(path, size)
        with pytest.raises(InputError, match=str(path)):
            checkpoint.load(path)


@pytest.mark.parametrize("command", ["evaluate lrw ce", "train lrw k5s1 --seed 1", "probe lrw ce-te_tc --seed 1"])
def test_no_stage_uses_a_damaged_checkpoint(command, finished):
    path = finished / "runs/smoke/lrw/ce/seed1/model.pt"
    flip(path, path.stat().st_size // 2)
    before = digests(finished)
    assert "runs/smoke/lrw/ce/seed1/model.pt: damaged" in only_line(pcpg(*command.split(), cwd=finished))
    assert digests(finished) == before


def test_a_damaged_state_of_a_training_is_named_and_made_again(finished):
    """What a broken-off training would go on from."""
    before, state = digests(finished), finished / "runs/smoke/lrw/ce/seed1/resume.pt"
    shutil.copy(state.with_name("model.pt"), state)
    flip(state, state.stat().st_size // 2)
    done = pcpg("train", "lrw", "ce", "--seed", "1", cwd=finished)
    assert done.returncode == 0, said(done)
    assert "runs/smoke/lrw/ce/seed1/resume.pt: damaged" in done.stderr and "begins anew" in done.stderr
    assert digests(finished) == before


def contents(folder: Path) -> tuple[list, list[bytes]]:
    store = ClipStore(folder)
    return store.index, [np.ascontiguousarray(store[i]).tobytes() for i in range(len(store))]


def used(source: Path, folder: Path, damage, share: float) -> list[str]:
    """The files of a clip store whose damage at `share` of their size is neither refused nor harmless."""
    wanted, found = contents(source), []
    for path in sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file()):
        if not (source / path).stat().st_size:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        damage(folder / path, int((source / path).stat().st_size * share))
        try:
            if contents(folder) != wanted:
                found.append(str(path))
        except InputError as error:
            assert str(folder) in str(error)
    return found


@pytest.mark.parametrize("corpus", ["grid", "lrw", "lrw1000"])
def test_a_clip_store_cut_short(corpus, unbroken, tmp_path):
    for share in (0, 0.3, 0.5, 0.97):
        assert used(unbroken / "clips/smoke" / corpus, tmp_path / "clips", cut, share) == []


@pytest.mark.parametrize("corpus", ["grid", "lrw", "lrw1000"])
def test_a_flipped_bit_in_a_clip_store(corpus, unbroken, tmp_path):
    for share in (0.1, 0.5, 0.9):
        assert used(unbroken / "clips/smoke" / corpus, tmp_path / "clips", flip, share) == []


def test_parameters_cut_short_or_with_a_flipped_bit(root, tmp_path):
    """Cut: named. A flipped bit may make another value, which the engines take for a change; never another error."""
    source, path = root / "tests" / "smoke.params.yaml", tmp_path / "params.yaml"
    wanted, text = load(source), source.read_bytes()
    for size in range(0, len(text) - 2, 97):
        path.write_bytes(text[:size])
        with pytest.raises(InputError, match=str(path)):
            load(path)
    refused = 0
    for place in random.Random(0).sample(range(len(text)), 100):
        path.write_bytes(text)
        flip(path, place)
        try:
            assert load(path) == wanted or yaml.safe_load(path.read_bytes()) != yaml.safe_load(text)
        except InputError as error:
            refused += 1
            assert str(error).startswith(str(path)) and "\n" not in str(error)
    assert refused > 20


@pytest.mark.parametrize("name", ["metrics.json", "predictions.csv"])
def test_tables_do_not_use_damaged_results(name, finished):
    """Metrics and the transcriptions behind them vouch for each other."""
    results = finished / "results/smoke"
    path = results / "runs/lrw/k5s1" / name
    raw, wanted, refused = path.read_bytes(), (results / "table1.csv").read_bytes(), 0
    damages = [(flip, place) for place in random.Random(0).sample(range(len(raw)), 12)]
    for damage, place in [*damages, *((cut, int(len(raw) * share)) for share in (0.0, 0.3, 0.6, 0.95))]:
        damage(path, place)
        try:
            write_table("table1", load(finished / "params.yaml"), Paths("smoke", finished))
            assert (results / "table1.csv").read_bytes() == wanted, (damage, place)
        except InputError as error:
            refused += 1
            assert "runs/lrw" in str(error)
        path.write_bytes(raw)
    assert refused >= 4


def test_no_curve_comes_from_a_damaged_history(finished):
    """One that was cut short, or whose number is none; of another digit DVC's record alone knows."""
    path = finished / "results/smoke/runs/lrw/k5s1/history-seed1.csv"
    digit = next(
        i for i in range(path.stat().st_size // 2, path.stat().st_size) if path.read_bytes()[i : i + 1] == b"."
    )
    flip(path, digit)
    before = digests(finished)
    assert "lrw/k5s1/history-seed1.csv" in only_line(pcpg("figures", "fig6_lrw", cwd=finished))
    assert digests(finished) == before


def test_dvc_names_every_damaged_file_and_makes_it_again(finished):
    """Its record has the hash of everything: also of what holds no checksum of its own, as a history or a table."""
    names = [
        "results/smoke/runs/lrw/k5s1/history-seed1.csv", "results/smoke/runs/lrw/k5s1/predictions.csv",
        "results/smoke/table1.md", "results/smoke/claims.csv", "figures/smoke/fig6_lrw.png",
        "runs/smoke/lrw/k5s1/seed1/model.pt",
    ]  # fmt: skip
    assert (done := shell("dvc", "commit", "--force", "--quiet", "--no-relink", cwd=finished)).returncode == 0, said(
        done
    )
    before = digests(finished)
    for name in names:
        flip(finished / name, (finished / name).stat().st_size // 2)
    status = said(shell("dvc", "status", cwd=finished))
    for name in names:
        assert name in status, status
    again = shell("dvc", "repro", "train_from_run@lrw-k5s1-1", cwd=finished)
    assert again.returncode == 0, said(again)
    for name in (names[0], names[-1]):
        assert digests(finished)[name] == before[name]


def test_a_cut_record_of_dvc_costs_no_training(finished):
    """DVC writes dvc.lock in place: a kill may cut it. Without the file it finds all in its cache, and runs nothing."""
    assert shell("dvc", "commit", "--force", "--quiet", "--no-relink", cwd=finished).returncode == 0
    before, record = digests(finished), finished / "dvc.lock"
    cut(record, record.stat().st_size // 2 + 1)
    broken = shell("dvc", "status", cwd=finished)
    assert broken.returncode == 0 or "dvc.lock" in said(broken), said(broken)
    record.unlink()
    done = shell("dvc", "commit", "--force", "--quiet", "--no-relink", cwd=finished)
    assert done.returncode == 0, said(done)
    assert "up to date" in said(shell("dvc", "status", cwd=finished))
    assert digests(finished) == before
