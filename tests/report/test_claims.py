"""Verdicts on made-up runs whose truth is known."""

import csv

import pytest
from made import paths_of, predict, put_history, results_of, settings_of

from pcpg.report.claims.claims import CLAIMS
from pcpg.report.claims.judge import judge
from pcpg.report.claims.write import write_claims
from pcpg.report.paper import CORPORA, TABLE2B
from pcpg.workspace.errors import InputError

SEEDS = [1, 2, 3]
COUNT = 80
CORRECT, WRONG = "set blue now", "set red now"


def texts_of(every: int, shift: int) -> list[str]:
    """COUNT transcriptions, of which each `every`-th is wrong; 0: none."""
    return [WRONG if every and (k + shift) % every == 0 else CORRECT for k in range(COUNT)]


def transcribe(results, corpus, run, every, beam=None, column=None):
    """`every`-th utterance wrong under greedy decoding (or by the classifier: column), `beam`-th under beam search."""
    for seed in SEEDS:
        texts = zip(texts_of(every, seed), texts_of(every if beam is None else beam, seed), strict=True)
        rows = []
        for number, (greedy, best) in enumerate(texts):
            decoded = {column: greedy} if column else {"greedy": greedy, "beam": best}
            rows.append({"clip": str(number), "speaker": "s1", "reference": CORRECT, **decoded})
        predict(results, corpus, run, seed, rows)


def train(results, corpus, run, rates):
    """A history with these validation CERs, one each 10 iterations; seed k starts k iterations later."""
    for seed in SEEDS:
        lines = []
        for number, rate in enumerate(rates):
            later = seed if 0 < number < len(rates) - 1 else 0
            lines.append(f"{10 * number + later},{number},1,1,1,{rate + 0.001 * seed * (number == 1)}")
        put_history(results, corpus, run, seed, lines)


def verdict(results, name):
    return next(found for found in judge(results_of(results)) if found.claim.name == name)


def test_nothing_was_run(tmp_path):
    found = judge(results_of(tmp_path))
    assert [one.claim.name for one in found] == [f"C{number}" for number in range(1, 9)]
    assert {one.word for one in found} == {"not run"}
    write_claims(settings_of(), paths_of(tmp_path))
    assert (
        "| C8 | Beam search beats greedy decoding (GRID) | **not run** |"
        in (paths_of(tmp_path).results / "claims.md").read_text()
    )


def test_better_on_all_corpora_is_supported(tmp_path):
    for corpus in CORPORA:
        transcribe(tmp_path, corpus, "ce", 2)
        transcribe(tmp_path, corpus, "k1s1", 10)
    found = verdict(tmp_path, "C1")
    assert found.word == "supported"
    assert found.reason.startswith("6 of 6 as claimed; the paper's difference lies outside 6 of 6 intervals")
    assert verdict(tmp_path, "C2").word == "not run"


def test_one_corpus_alone_is_named(tmp_path):
    transcribe(tmp_path, "grid", "ce", 2)
    transcribe(tmp_path, "grid", "k1s1", 10)
    transcribe(tmp_path, "grid", "ce-continued", 10)
    found = verdict(tmp_path, "C1")
    assert found.word == "supported"
    assert "4 comparisons not run, among them all of LRW, LRW-1000" in found.reason
    assert found.reason.endswith("against the controls: 2 of 2 not shown")


def test_worse_anywhere_is_contradicted(tmp_path):
    for corpus, (ce, k1s1) in {"grid": (2, 10), "lrw": (10, 2), "lrw1000": (2, 10)}.items():
        transcribe(tmp_path, corpus, "ce", ce)
        transcribe(tmp_path, corpus, "k1s1", k1s1)
    assert verdict(tmp_path, "C1").word == "contradicted"


def test_no_difference_is_inconclusive(tmp_path):
    for corpus in CORPORA:
        transcribe(tmp_path, corpus, "ce", 4)
        transcribe(tmp_path, corpus, "k1s1", 4)
    found = verdict(tmp_path, "C1")
    assert found.word == "inconclusive" and found.reason.startswith("6 of 6 not shown")
    assert all(one.estimate.value == 0 and one.p_holm == 1 for one in found.judged if one.estimate)


def test_many_comparisons_need_a_smaller_p(tmp_path):
    """One difference alone shows; among forty that show nothing it does not."""
    transcribe(tmp_path, "grid", "k3s1-w121", 6, beam=15)
    alone = verdict(tmp_path, "C8")
    assert alone.word == "supported" and alone.judged[0].p_holm == alone.judged[0].estimate.p < 0.05
    for corpus in CORPORA:
        for run in ("ce", "k1s1", "k5s5", "k5s1", "ce-continued", "k1s1-scaled"):
            transcribe(tmp_path, corpus, run, 4)
    among = verdict(tmp_path, "C8")
    ran = [one for found in judge(results_of(tmp_path)) for one in found.judged if one.estimate]
    assert among.judged[0].estimate == alone.judged[0].estimate
    assert among.judged[0].p_holm == pytest.approx(len(ran) * alone.judged[0].estimate.p)
    assert len(ran) > 40 and among.word == "inconclusive"


@pytest.mark.parametrize(("every", "word"), [(8, "supported"), (2, "contradicted")])
def test_four_kernels_within_a_point(tmp_path, every, word):
    for run in TABLE2B:
        transcribe(tmp_path, "grid", run, every if run == "k3s1-w321" else 8)
    [one] = verdict(tmp_path, "C6").judged
    assert verdict(tmp_path, "C6").word == word
    assert one.estimate.value == pytest.approx(0 if every == 8 else 100 / 3 * (1 / 2 - 1 / 8), abs=0.1)


def test_the_course_of_training(tmp_path):
    """k5s1 converges 20 iterations after it starts, the others 40; only ce-continued rises on the way."""
    for corpus in CORPORA:
        train(tmp_path, corpus, "k5s1", [0.5, 0.3, 0.1, 0.1, 0.1])
        train(tmp_path, corpus, "k1s1", [0.5, 0.4, 0.3, 0.2, 0.1])
        train(tmp_path, corpus, "ce-continued", [0.5, 0.6, 0.3, 0.2, 0.1])
    judged = {(one.comparison.against, one.comparison.measure): one for one in verdict(tmp_path, "C4").judged}
    fast = judged["k1s1", "iterations"].estimate
    assert fast.value == pytest.approx(-20, abs=3) and fast.high < 0 and fast.utterances == 0
    assert judged["ce-continued", "unrest"].estimate.value == pytest.approx(-(10 + 0.2) / 4, abs=0.05)
    assert judged["k1s1-scratch", "iterations"].estimate is None
    found = verdict(tmp_path, "C4")
    assert found.word == "inconclusive"  # no more at rest than k1s1, which never rises either
    assert "12 comparisons not run" in found.reason


def test_classifiers_are_judged_by_their_errors(tmp_path):
    for corpus in ("lrw", "lrw1000"):
        for run, every in (("scratch", 2), ("k5s1-fe_tc", 5), ("k5s1-te_tc", 20), ("ce-fe_tc", 5), ("ce-te_tc", 20)):
            transcribe(tmp_path, corpus, run, every, column="classified")
    found = verdict(tmp_path, "C7")
    assert found.word == "supported"
    first = found.judged[0]
    assert first.estimate.value == pytest.approx(100 * (1 / 5 - 1 / 2)) and first.comparison.paper == pytest.approx(
        -0.3
    )
    assert found.reason.endswith("against the controls: 4 of 4 not shown")


def test_seeds_that_transcribed_other_clips_are_refused(tmp_path):
    transcribe(tmp_path, "grid", "ce", 2)
    with pytest.raises(InputError, match=r"ce/predictions\.csv: no column classified"):
        results_of(tmp_path).errors("grid", "ce", "error")
    path = paths_of(tmp_path).predictions("grid", "ce")
    path.write_text(path.read_text().replace("\n3,7,", "\n3,700,"))
    with pytest.raises(
        InputError, match=r"predictions\.csv: clips, speakers or references of seed 3 are not those of 1"
    ):
        results_of(tmp_path).errors("grid", "ce", "wer")


def test_kernels_that_were_tested_on_other_clips_are_refused(tmp_path):
    for run in TABLE2B:
        transcribe(tmp_path, "grid", run, 8)
    path = paths_of(tmp_path).predictions("grid", "k3s1-w321")
    path.write_text(path.read_text().replace(",7,s1", ",700,s1"))
    with pytest.raises(InputError, match=r"k3s1-w321/predictions\.csv: not the same clips"):
        judge(results_of(tmp_path))


def test_the_csv_has_a_row_for_each_comparison(tmp_path):
    transcribe(tmp_path, "grid", "ce", 2)
    transcribe(tmp_path, "grid", "k1s1", 10)
    write_claims(settings_of(), paths_of(tmp_path))
    with open(paths_of(tmp_path).results / "claims.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(claim.comparisons) for claim in CLAIMS)
    row = next(row for row in rows if (row["claim"], row["corpus"], row["measure"]) == ("C1", "grid", "wer"))
    assert (row["run"], row["against"], row["paper"], row["outcome"]) == ("k1s1", "ce", "-1.7000", "as claimed")
    assert (row["verdict"], row["seeds"], row["utterances"], row["control"]) == ("supported", "3", "80", "false")
    assert float(row["low"]) < float(row["effect"]) < float(row["high"]) < 0
    assert row["effect"] == f"{100 / 3 * (1 / 10 - 1 / 2):.4f}"
    again = (
        (paths_of(tmp_path).results / "claims.csv").read_bytes(),
        (paths_of(tmp_path).results / "claims.md").read_bytes(),
    )
    write_claims(settings_of(), paths_of(tmp_path))
    assert "SHA" not in (paths_of(tmp_path).results / "evidence.md").read_text()
    assert again == (
        (paths_of(tmp_path).results / "claims.csv").read_bytes(),
        (paths_of(tmp_path).results / "claims.md").read_bytes(),
    )


def test_the_papers_differences_are_those_of_its_tables():
    of = {(c.name, one.corpus, one.run, one.against, one.measure): one.paper for c in CLAIMS for one in c.comparisons}
    assert of["C2", "grid", "k5s1", "ce", "wer"] == pytest.approx(12.3 - 18.3)
    assert of["C3", "lrw1000", "k5s5", "k1s1", "cer"] == pytest.approx(51.6 - 51.4)
    assert of["C5", "grid", "k3s1", "k5s1", "wer"] == pytest.approx(12.1 - 12.3)
    assert of["C7", "lrw", "k5s1-te_tc", "k5s1-fe_tc", "error"] == pytest.approx(82.4 - 83.5)
    assert of["C8", "grid", "k3s1-w121", "k3s1-w121", "wer"] == pytest.approx(11.2 - 11.9)
    [spread] = [one for claim in CLAIMS for one in claim.comparisons if one.measure == "spread"]
    assert spread.paper == pytest.approx(max(TABLE2B.values()) - min(TABLE2B.values()))
