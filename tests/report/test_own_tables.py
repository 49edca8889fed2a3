"""Tables of ours alone: fixed updates from histories, and words of GRID over all clips and by word."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from made import predict, put, put_history, settings_of
from test_stats import errors_of

from pcpg.report.results import stats
from pcpg.report.results.histories import half_way, last, read_history
from pcpg.report.tables.write import write_table
from pcpg.settings.load import load
from pcpg.workspace.paths import Paths

CURVES = {"ce-continued": [0.2, 0.10, 0.08, 0.09, 0.11], "k1s1": [0.2, 0.12, 0.10, 0.07, 0.08]}


def table(base, name, settings):
    write_table(name, settings, Paths(settings.preset, base))
    with open(base / f"results/{settings.preset}/{name}.csv", newline="") as file:
        return {row["run"]: row for row in csv.DictReader(file)}


def test_fixed_updates_choose_nothing(tmp_path):
    """Half-way is the second of four evaluations behind the start, whatever it reads."""
    for run, curve in CURVES.items():
        for seed in (1, 2, 3):
            lines = [f"{100 + 10 * k},{k},,,1,{value + 0.01 * seed:.2f}" for k, value in enumerate(curve)]
            put_history(tmp_path, "grid", run, seed, lines)
    rows = table(tmp_path, "updates", settings_of())
    found = {run: [float(rows[run][f"{name}_mean"]) for name in ("half_way", "at_the_end", "chosen")] for run in CURVES}
    assert found["ce-continued"] == pytest.approx([10, 13, 10]) and found["k1s1"] == pytest.approx([12, 10, 9])
    assert float(rows["k1s1"]["at_the_end_delta_mean"]) == pytest.approx(-3)
    assert rows["k5s1"]["half_way_mean"] == ""
    assert {row["utterances"] for row in rows.values()} == {""}  # no test clip was read


def test_the_evaluation_half_way_may_lie_before_half(tmp_path):
    lines = ["0,0,,,1,0.9", "10,1,,,1,0.8", "20,2,,,1,0.7", "30,3,1,1,,", "35,4,,,1,0.6"]
    frame = read_history(put_history(tmp_path, "grid", "ce", 1, lines))
    assert (half_way(frame)["iteration"], last(frame)["iteration"]) == (20, 35)


def test_every_text_counts_alike_by_class():
    """One of three "bin" is wrong, and the one "now": 50 % of the clips, 2/3 by word."""
    errors = replace(errors_of([[1, 0, 0, 1]], lengths=[1] * 4), texts=("bin", "bin", "bin", "now"))
    assert errors.rate() == 50 and stats.by_class(errors).rate() == pytest.approx(100 * (1 / 3 + 1) / 2)


def test_words_of_a_sentence_are_one_draw():
    """Six words that go wrong together tell as much of chance as one: the interval is that of sentences."""
    of_sentences = np.tile(np.random.default_rng(1).integers(0, 2, 40), (3, 1))
    of_sentences[[0, 1, 2], [3, 5, 7]] ^= 1  # the seeds agree in nearly all
    words = replace(
        errors_of(of_sentences.repeat(6, axis=1), lengths=[1] * 240),
        wholes=tuple(f"s1/{number // 6}" for number in range(240)),
    )
    sentences = errors_of(of_sentences, lengths=[1] * 40)
    assert stats.rate(words).error == pytest.approx(stats.rate(sentences).error)
    assert stats.rate(replace(words, wholes=())).error < 0.5 * stats.rate(sentences).error


def words_of(base, run, decoder, wrong):
    """Two seeds of two sentences with the words "bin" and "a" or "b"; `wrong` names the clips that are read wrongly."""
    for seed in (1, 2):
        rows = []
        for sentence, letter in (("s1/x", "a"), ("s1/y", "b")):
            for place, word in ((1, "bin"), (2, letter)):
                clip = f"{sentence}/{place}-{word}"
                read = "no" if clip in wrong else word
                texts = {"greedy": read, "beam": read} if decoder == "greedy" else {decoder: read}
                rows.append({"clip": clip, "speaker": "s1", "reference": word} | texts)
        predict(base, "grid_words", run, seed, rows, "grid-words")
    score = {"accuracy": 1 - len(wrong) / 4}
    rates = dict.fromkeys(("cer", "wer", "mean_cer", "mean_wer"), len(wrong) / 4)
    for seed in (1, 2):
        put(base, "grid_words", run, seed, score if decoder == "classified" else {"greedy": rates, "beam": rates})


def test_lip_readers_and_classifiers_stand_in_one_table_of_words(root, tmp_path, monkeypatch):
    settings = load(root / "presets/grid-words.yaml").model_copy(update={"seeds": [1, 2]})
    monkeypatch.setattr("made.paths_of", lambda base, preset="grid-words": Paths("grid-words", base))
    words_of(tmp_path, "ce", "greedy", {"s1/x/2-a"})
    words_of(tmp_path, "ce-fe_tc", "classified", {"s1/x/1-bin"})
    rows = table(tmp_path, "words", settings)
    assert [float(rows[run]["error_mean"]) for run in ("ce", "ce-fe_tc")] == [25, 25]
    assert float(rows["ce"]["error_by_word_mean"]) == pytest.approx(100 / 3, abs=1e-3)
    assert float(rows["ce-fe_tc"]["error_by_word_mean"]) == pytest.approx(100 / 6, abs=1e-3)
    text = (tmp_path / "results/grid-words/words.md").read_text()
    assert "81.0 % of the clips" in text and "98.0 % by word" in text  # (4 * 1/4 + 1/25 + 1/10) / 6 of 51 words
