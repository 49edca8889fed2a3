"""Verdicts on made-up runs whose truth is known."""

import csv
import math
from dataclasses import replace

import numpy as np
import pytest
from made import paths_of, predict, put_history, results_of, settings_of, transcribed

from pcpg.report.claims.claims import (
    CLAIMS,
    CONTROL,
    DECIDES,
    EQUAL_UPDATES,
    FINE_TUNED,
    FROM_SCRATCH,
    REPORTED,
    claims_of,
)
from pcpg.report.claims.judge import EXCLUDED, REVERSED, SHOWN, UNDECIDED, independent, judge, undecided_text
from pcpg.report.claims.power import power_lines
from pcpg.report.claims.say import could_have_shown, p_of_outcome
from pcpg.report.claims.write import evidence_text, write_claims
from pcpg.report.paper import CORPORA, TABLE2B, TABLE5A_RUN, WORDS
from pcpg.report.results import stats
from pcpg.settings.load import load
from pcpg.workspace.errors import InputError

SEEDS = [1, 2, 3]
COUNT = 80
CORRECT, WRONG = "set blue now", "set red now"


def texts_of(share: float, seed: int, run: str) -> list[str]:
    """COUNT transcriptions, of which about `share` are wrong; which, differs by seed and run."""
    draws = np.random.default_rng([seed, *run.encode()]).permutation(COUNT) / COUNT
    return [WRONG if draw < share + 0.0125 * (seed - 2) * (share > 0) else CORRECT for draw in draws]


def transcribe(results, corpus, run, share, beam=None, column=None, more=0):
    """A `share` of utterances wrong under greedy decoding (or by the classifier: column), `beam` under beam search.

    `more`: so many more in one of the seeds, so that two runs differ by seed.
    """
    for seed in SEEDS:
        both = texts_of(share, seed, run), texts_of(share if beam is None else beam, seed, run)
        for texts in both:
            for _ in range(more if seed == SEEDS[more % 3] else 0):
                texts[texts.index(CORRECT)] = WRONG
        rows = []
        for number, (greedy, best) in enumerate(zip(*both, strict=True)):
            decoded = {column: greedy} if column else {"greedy": greedy, "beam": best}
            rows.append({"clip": str(number), "speaker": "s1", "reference": CORRECT, **decoded})
        predict(results, corpus, run, seed, rows)


def train(results, corpus, run, rates):
    """A history with these validation CERs, one each 10 iterations, the first at 10; seeds differ a little."""
    for seed in SEEDS:
        lines = [
            f"{10 * (number + 1)},{number},1,1,1,{rate + 0.001 * seed}" for number, rate in enumerate(rates[seed - 1])
        ]
        put_history(results, corpus, run, seed, lines)


def verdict(results, name, regime=FINE_TUNED):
    return next(one for one in judge(results_of(results)) if (one.claim.name, one.claim.regime) == (name, regime))


def outcomes(found) -> list[str]:
    return [one.outcome for one in found.judged if one.decides and one.estimate]


def test_nothing_was_run(tmp_path):
    found = judge(results_of(tmp_path))
    assert sorted({one.claim.name for one in found}) == [f"C{number}" for number in range(1, 9)]
    assert {one.word for one in found} == {"not run"}
    write_claims(settings_of(), paths_of(tmp_path))
    text = (paths_of(tmp_path).results / "claims.md").read_text()
    assert "| C8, fine-tuned | Beam search beats greedy decoding (GRID) | **not run** |" in text
    with pytest.raises(InputError, match="no two runs of two seeds"):
        power_lines(results_of(tmp_path), [3])


def test_better_on_all_corpora_is_reproduced(tmp_path):
    for corpus in CORPORA:
        transcribe(tmp_path, corpus, "ce", 0.5)
        transcribe(tmp_path, corpus, "k1s1", 0.1)
    found = verdict(tmp_path, "C1")
    assert found.text == "reproduced (generated GRID, generated LRW, generated LRW-1000; fine-tuned)"
    assert found.reason.startswith("3 of 3 shown; 3 seeds could have shown")
    assert verdict(tmp_path, "C1", FROM_SCRATCH).word == verdict(tmp_path, "C2").word == "not run"


def test_one_corpus_alone_is_named(tmp_path):
    transcribe(tmp_path, "grid", "ce", 0.5)
    transcribe(tmp_path, "grid", "k1s1", 0.1)
    found = verdict(tmp_path, "C1")
    assert found.text == "reproduced (generated GRID; fine-tuned)"
    assert found.reason.endswith("2 not run, among them all of LRW, LRW-1000")


def test_the_papers_size_is_excluded_where_nothing_changes(tmp_path):
    """k5s1 errs as often as k1s1, give or take a sentence: an effect as large as the paper's is ruled out."""
    for run in ("ce", "k1s1", "k5s5", "k5s1"):
        transcribe(tmp_path, "grid", run, 0.3)
    for seed in SEEDS:  # the same sentences but for one that changes by seed
        texts = texts_of(0.3, seed, "k1s1")
        texts[seed] = CORRECT if texts[seed] == WRONG else WRONG
        rows = [
            {"clip": str(k), "speaker": "s1", "reference": CORRECT, "greedy": t, "beam": t} for k, t in enumerate(texts)
        ]
        predict(tmp_path, "grid", "k5s1", seed, rows)
    found = verdict(tmp_path, "C5")
    [one] = [one for one in found.judged if (one.comparison.run, one.comparison.against) == ("k5s1", "k1s1")]
    assert one.asked == pytest.approx(
        max(-4.3, results_of(tmp_path).errors("grid", "k1s1", "wer").rate() * (12.3 / 16.6 - 1))
    )
    assert one.outcome == EXCLUDED and one.estimate.above(one.asked) < 0.05
    assert found.text == "not reproduced: the paper's size is excluded (generated GRID, 1 of 7 comparisons; fine-tuned)"


def test_the_effect_asked_about_is_the_one_nearer_to_zero(tmp_path):
    transcribe(tmp_path, "grid", "ce", 0.1)
    transcribe(tmp_path, "grid", "k1s1", 0.1)
    [one] = [one for one in verdict(tmp_path, "C1").judged if one.decides and one.estimate]
    baseline = results_of(tmp_path).errors("grid", "ce", "wer").rate()
    assert one.asked == pytest.approx(baseline * (16.6 / 18.3 - 1))  # in points it would be -1.7
    transcribe(tmp_path, "grid", "ce", 0.9)
    [one] = [one for one in verdict(tmp_path, "C1").judged if one.decides and one.estimate]
    assert one.asked == pytest.approx(-1.7)


def test_worse_is_reversed(tmp_path):
    transcribe(tmp_path, "grid", "ce", 0.1)
    transcribe(tmp_path, "grid", "k1s1", 0.6)
    found = verdict(tmp_path, "C1")
    assert outcomes(found) == [REVERSED]
    assert found.text == "reversed (generated GRID; fine-tuned)"  # though the paper's size is ruled out as well
    [one] = [one for one in found.judged if one.decides and one.estimate]
    assert one.p_holm < one.p_reversed < 0.05  # it is the larger that speaks for the word
    assert p_of_outcome(replace(one, p_reversed=0.04)) == "0.040"
    assert p_of_outcome(replace(one, p_holm=0.03, outcome=EXCLUDED)) == "0.030"


def test_much_noise_is_undecided(tmp_path):
    for seed, share in zip(SEEDS, (0.1, 0.6, 0.3), strict=True):
        for run, wrong in (("ce", 0.3), ("k1s1", share)):
            texts = texts_of(wrong, seed, run)
            rows = [
                {"clip": str(k), "speaker": "s1", "reference": CORRECT, "greedy": t, "beam": t}
                for k, t in enumerate(texts)
            ]
            predict(tmp_path, "grid", run, seed, rows)
    found = verdict(tmp_path, "C1")
    assert outcomes(found) == [UNDECIDED] and found.text == "undecided, 0 of 1 excluded (generated GRID; fine-tuned)"


def test_undecided_says_what_was_shown(tmp_path):
    transcribe(tmp_path, "grid", "ce", 0.1)
    transcribe(tmp_path, "grid", "k1s1", 0.6)
    [one] = [one for one in verdict(tmp_path, "C1").judged if one.decides and one.estimate]
    shown, undecided = (replace(one, outcome=outcome) for outcome in (SHOWN, UNDECIDED))
    assert undecided_text([shown, undecided, shown]) == "undecided, 2 of 3 shown, 0 excluded"
    assert undecided_text([one, undecided]) == "undecided, 1 of 2 excluded"


def test_one_seed_decides_nothing(tmp_path):
    for run, share in (("ce", 0.5), ("k1s1", 0.1)):
        transcribe(tmp_path, "grid", run, share)
    [found, *_] = judge(results_of(tmp_path, seeds=(1,)))
    assert found.word == UNDECIDED and "1 without an interval" in found.reason
    write_claims(settings_of((1,)), paths_of(tmp_path))
    text = (paths_of(tmp_path).results / "claims.md").read_text()
    assert "One seed tells nothing of chance" in text and "3 seeds" not in text and "Three seeds" not in text
    assert "[unknown]" in (paths_of(tmp_path).results / "evidence.md").read_text()


def test_the_text_says_from_how_many_seeds_and_that_some_runs_have_fewer(tmp_path):
    transcribe(tmp_path, "grid", "ce", 0.5)
    for seeds, said in ((SEEDS, "told from 3 seeds; it"), (SEEDS[:2], "told from 3 seeds, of some runs 2; it")):
        for seed in seeds:
            transcribed(tmp_path, "grid", f"k{len(seeds)}s1", seed, [CORRECT] * 4)
        write_claims(settings_of(), paths_of(tmp_path))
        assert said in (paths_of(tmp_path).results / "claims.md").read_text()


def test_words_of_grid_are_asked_for_what_lrw_is(root):
    """In a preset that has them, and as rows of their own."""
    assert {pair.corpus for claim in CLAIMS for pair in claim.comparisons} == set(CORPORA)
    count = 0
    for claim in claims_of(load(root / "presets/grid-words.yaml")):
        own = [pair for pair in claim.comparisons if pair.role != CONTROL]
        of = {corpus: [pair for pair in own if pair.corpus == corpus] for corpus in ("lrw", WORDS)}
        assert [replace(pair, corpus="lrw") for pair in of[WORDS]] == of["lrw"]
        count += len(of[WORDS])
    assert count


def test_controls_that_a_preset_does_not_name_are_left_out(root):
    controls = {
        preset: [
            (pair.corpus, pair.run, pair.against)
            for claim in claims_of(load(root / preset))
            for pair in claim.comparisons
            if pair.role == CONTROL and pair.measure in ("wer", "error")
        ]
        for preset in ("params.yaml", "presets/grid-s1-early.yaml", "presets/grid-words.yaml")
    }
    slow, continued = ("grid", "k1s1-slow", "ce-slow"), (WORDS, "k5s1-te_tc", "ce-continued-te_tc")
    assert [preset for preset, of in controls.items() if slow in of] == ["presets/grid-s1-early.yaml"]
    assert [preset for preset, of in controls.items() if continued in of] == ["presets/grid-words.yaml"]
    assert ("lrw", "k5s1-te_tc", "ce-te_tc") in controls["params.yaml"]
    everything = {pair for claim in CLAIMS for pair in claim.comparisons if pair.role != CONTROL}
    assert everything == {pair for claim in claims_of(settings_of()) for pair in claim.comparisons} & everything


def test_holm_stays_within_the_claim(tmp_path):
    for corpus in CORPORA:
        for more, run in enumerate(("ce", "k1s1", "k5s5", "k5s1", "ce-continued", "k1s1-scaled")):
            transcribe(tmp_path, corpus, run, 0.3, more=more)
    for found in judge(results_of(tmp_path)):
        tested = [one for one in found.judged if one.decides and one.estimate]
        assert [one.p_holm for one in tested] == pytest.approx(stats.holm([one.p for one in tested]))
        directed = [one for one in tested if not one.comparison.margin]
        above = [one.estimate.above(0) for one in directed]
        assert [one.p_reversed for one in directed] == pytest.approx(stats.holm(above))
        assert all(math.isnan(one.p_holm) for one in found.judged if not one.decides)


def test_what_the_papers_table_has_the_other_way_round_does_not_decide():
    [claim] = [claim for claim in CLAIMS if claim.name == "C3"]
    of = {(one.corpus, one.measure, one.against): one.role for one in claim.comparisons}
    assert [of[corpus, "wer", "k1s1"] for corpus in CORPORA] == [DECIDES, REPORTED, DECIDES]
    assert of["lrw1000", "cer", "k1s1"] == REPORTED
    for claim in CLAIMS:
        deciding = [one for one in claim.comparisons if one.role == DECIDES]
        assert len({(one.corpus, one.run, one.against, one.measure, one.level) for one in deciding}) == len(deciding)
        assert all(one.paper < 0 or one.margin or claim.name == "C4" for one in deciding)


def test_beam_search_that_reads_better_is_c8(tmp_path):
    transcribe(tmp_path, "grid", TABLE5A_RUN, 0.5, beam=0.1)
    found = verdict(tmp_path, "C8")
    assert found.word == "reproduced" and found.judged[0].estimate.value < 0


def test_at_equal_updates_the_rival_is_cross_entropy_continued():
    for claim in CLAIMS:
        if claim.regime == EQUAL_UPDATES:
            assert {one.against for one in claim.comparisons if one.role == DECIDES} == {"ce-continued"}


def test_the_shorter_training_ends_the_count(tmp_path):
    train(tmp_path, "grid", "k5s1-scratch", [[0.45, 0.28, 0.25]] * 3)  # 30 % at 20; ends at 30
    train(tmp_path, "grid", "ce", [[0.9, 0.8, 0.7, 0.6, 0.1]] * 3)  # 30 % at 50
    course = verdict(tmp_path, "C4", FROM_SCRATCH).judged
    [one] = [one for one in course if one.estimate and one.comparison.against == "ce" and one.comparison.level == 30]
    assert one.estimate.value == 20 - 30


@pytest.mark.parametrize(("share", "word"), [(0.125, "reproduced"), (0.6, "not reproduced")])
def test_four_kernels_within_a_point(tmp_path, share, word):
    for run in TABLE2B:
        for seed in SEEDS:
            texts = texts_of(share if run == "k3s1-w231" else 0.125, seed, "alike")
            if seed == [*TABLE2B].index(run):  # one sentence more, of another seed each, so that there is some chance
                texts[texts.index(CORRECT)] = WRONG
            rows = [
                {"clip": str(k), "speaker": "s1", "reference": CORRECT, "greedy": t, "beam": t}
                for k, t in enumerate(texts)
            ]
            predict(tmp_path, "grid", run, seed, rows)
    found = verdict(tmp_path, "C6")
    alike = [one for one in found.judged if one.decides]
    assert found.word == word and len(alike) == 6
    assert all((one.p <= 0.05) == (one.outcome == EXCLUDED) for one in alike if one.estimate.known)
    assert "could have shown" not in found.reason  # that is the power to find a difference
    assert {could_have_shown(one) for one in alike} == {"\N{EN DASH}"}
    controls = {(one.comparison.run, one.comparison.against) for one in found.judged if not one.decides}
    assert controls == {(run, "ce-continued") for run in ("k3s1-w121", "k3s1-w132", "k3s1-w231")}
    assert (SHOWN in outcomes(found)) and (EXCLUDED in outcomes(found)) == (word != "reproduced")


def test_the_course_of_training(tmp_path):
    """From random weights k5s1 reaches each CER earlier; k1s1 never comes to 10 %, which counts as the end."""
    for corpus in CORPORA:
        train(tmp_path, corpus, "k5s1-scratch", [[0.45, 0.28, 0.15, 0.09, 0.05]] * 3)
        train(
            tmp_path,
            corpus,
            "k1s1-scratch",
            [[0.6, 0.48, 0.29, 0.19, 0.15], [0.6, 0.55, 0.48, 0.28, 0.19], [0.6, 0.48, 0.29, 0.18, 0.19]],
        )
    found = verdict(tmp_path, "C4", FROM_SCRATCH)
    of = {
        one.comparison.level: one.estimate for one in found.judged if one.comparison.corpus == "grid" and one.estimate
    }
    assert of[50].value == pytest.approx(10 - (20 + 30 + 20) / 3)
    assert of[10].value == pytest.approx(40 - 50) and not of[10].known  # no seed differs
    rising = [one for one in found.judged if one.comparison.measure == "rises" and one.estimate]
    assert rising[0].estimate.value == pytest.approx(-100 / 4 / 3)
    assert found.word == UNDECIDED and all(one.outcome in (SHOWN, UNDECIDED) for one in found.judged if one.estimate)


def test_rises_are_counted_over_the_stretch_that_both_have(tmp_path):
    """Every run falls behind an evaluation of random weights, which here k5s1 alone has."""
    train(tmp_path, "grid", "ce", [[0.5, 0.4, 0.45, 0.3, 0.35]] * 3)  # from 10 to 50: two of four rise
    for seed in SEEDS:
        rates = [0.9, 0.5, 0.4, 0.45, 0.3, 0.35]  # from 0 to 50
        put_history(tmp_path, "grid", "k5s1-scratch", seed, [f"{10 * i},{i},1,1,1,{r}" for i, r in enumerate(rates)])
    [one] = [
        one.estimate
        for one in verdict(tmp_path, "C4", FROM_SCRATCH).judged
        if (one.comparison.against, one.comparison.measure) == ("ce", "rises") and one.estimate
    ]
    assert one.value == 0.0
    found = verdict(tmp_path, "C4", FROM_SCRATCH)
    assert found.text.startswith("undecided (generated GRID, 3 of 10 comparisons")  # C4 has no size to exclude
    assert "| – |" in evidence_text([found], "").splitlines()[-1]


def test_comparisons_are_worth_as_many_over_the_seeds_that_all_have(tmp_path):
    """k2s1 has but two seeds of three: it is no reason to leave it out."""
    for run in ("k1s1", "k2s1", "k3s1"):
        transcribe(tmp_path, "grid", run, 0.3)
    path = paths_of(tmp_path).predictions("grid", "k2s1")
    path.write_text("\n".join(line for line in path.read_text().split("\n") if not line.startswith("3,")))
    results = results_of(tmp_path)
    judged = [one for one in verdict(tmp_path, "C5").judged if one.decides and one.estimate]
    assert len(judged) == 3
    edits = {run: results.errors("grid", run, "wer").edits[:2] for run in ("k1s1", "k2s1", "k3s1")}
    gaps = [(edits[run] - edits[against]).ravel() for run, against in
            (("k2s1", "k1s1"), ("k3s1", "k1s1"), ("k3s1", "k2s1"))]  # fmt: skip
    assert independent(results, judged) == pytest.approx(stats.independent(gaps)) and stats.independent(gaps) > 1.5


def test_the_effect_asked_about_is_of_the_seeds_that_are_compared(tmp_path):
    transcribe(tmp_path, "grid", "ce", 0.1)
    transcribe(tmp_path, "grid", "k1s1", 0.1)
    path = paths_of(tmp_path).predictions("grid", "k1s1")
    path.write_text("\n".join(line for line in path.read_text().split("\n") if not line.startswith("3,")))
    [one] = [one for one in verdict(tmp_path, "C1").judged if one.decides and one.estimate]
    rates = results_of(tmp_path).errors("grid", "ce", "wer").rates()
    assert one.estimate.seeds == 2 and rates[3] != rates[1]
    assert one.asked == pytest.approx((rates[1] + rates[2]) / 2 * (16.6 / 18.3 - 1))


def test_classifiers_are_judged_by_their_errors(tmp_path):
    shares = {"scratch": 0.6, "k5s1-fe_tc": 0.3, "k5s1-te_tc": 0.05, "ce-fe_tc": 0.3, "ce-te_tc": 0.05}
    for corpus in ("lrw", "lrw1000"):
        for run, share in shares.items():
            transcribe(tmp_path, corpus, run, share, column="classified")
    found = verdict(tmp_path, "C7")
    assert found.text == "reproduced (generated LRW, generated LRW-1000; fine-tuned)"
    assert found.judged[0].estimate.value == pytest.approx(100 * (0.3 - 0.6))
    assert found.judged[1].estimate.value == pytest.approx(100 * (0.05 - 0.6), abs=1)
    assert found.judged[1].comparison.paper == pytest.approx(82.1 - 83.5)
    assert found.judged[0].comparison.paper == pytest.approx(-0.3)


def test_seeds_that_transcribed_other_clips_are_refused(tmp_path):
    transcribe(tmp_path, "grid", "ce", 0.5)
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
        transcribe(tmp_path, "grid", run, 0.2)
    path = paths_of(tmp_path).predictions("grid", "k3s1-w231")
    path.write_text(path.read_text().replace(",7,s1", ",700,s1"))
    with pytest.raises(InputError, match=r"k3s1-w231/predictions\.csv: not the same clips"):
        judge(results_of(tmp_path))


def test_the_csv_has_a_row_for_each_comparison(tmp_path):
    transcribe(tmp_path, "grid", "ce", 0.5)
    transcribe(tmp_path, "grid", "k1s1", 0.1)
    write_claims(settings_of(), paths_of(tmp_path))
    results = paths_of(tmp_path).results
    with open(results / "claims.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(claim.comparisons) for claim in claims_of(settings_of()))
    row = next(row for row in rows if (row["claim"], row["corpus"], row["measure"]) == ("C1", "grid", "wer"))
    assert (row["run"], row["against"], row["paper"], row["outcome"]) == ("k1s1", "ce", "-1.7000", "shown")
    assert (row["seeds"], row["utterances"], row["role"]) == ("3", "80", "decides")
    assert float(row["low"]) < float(row["effect"]) < float(row["high"]) < 0 < float(row["smallest"])
    rates = [results_of(tmp_path).errors("grid", run, "wer").rate() for run in ("k1s1", "ce")]
    assert row["effect"] == f"{rates[0] - rates[1]:.4f}"
    again = [(results / name).read_bytes() for name in ("claims.csv", "claims.md", "evidence.md")]
    write_claims(settings_of(), paths_of(tmp_path))
    assert again == [(results / name).read_bytes() for name in ("claims.csv", "claims.md", "evidence.md")]


def test_power_of_a_planned_number_of_seeds(tmp_path):
    transcribe(tmp_path, "grid", "ce", 0.5)
    transcribe(tmp_path, "grid", "k1s1", 0.1)
    lines = power_lines(results_of(tmp_path), [3, 12])
    [line] = [line for line in lines if line.startswith("GRID k1s1 - ce")]
    three, twelve = map(float, line.split()[-2:])
    assert twelve < 0.6 * three


def test_the_papers_differences_are_those_of_its_tables():
    of = {(c.name, one.corpus, one.run, one.against, one.measure): one.paper for c in CLAIMS for one in c.comparisons}
    assert of["C2", "grid", "k5s1", "ce", "wer"] == pytest.approx(12.3 - 18.3)
    assert of["C3", "lrw1000", "k5s5", "k1s1", "cer"] == pytest.approx(51.6 - 51.4)
    assert of["C5", "grid", "k3s1", "k5s1", "wer"] == pytest.approx(12.1 - 12.3)
    assert of["C7", "lrw", "k5s1-te_tc", "k5s1-fe_tc", "error"] == pytest.approx(82.4 - 83.5)
    assert of["C8", "grid", "k3s1-w121", "k3s1-w121", "wer"] == pytest.approx(11.2 - 11.9)
    alike = [one.paper for claim in CLAIMS for one in claim.comparisons if one.margin]
    assert max(map(abs, alike)) == pytest.approx(max(TABLE2B.values()) - min(TABLE2B.values()))
