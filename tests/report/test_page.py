"""The page report.html: what it holds, that it needs nothing else, and that no text in it becomes more than text."""

import base64
import csv
import hashlib
import io
import json
import math
import re
import sys
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from made import predict
from markupsafe import escape
from PIL import Image
from rapidfuzz.distance import Levenshtein

from pcpg import cli
from pcpg.corpora.base import Clip
from pcpg.mouths.inventory import Count, Length, Note
from pcpg.mouths.store import ClipStore
from pcpg.reader import checkpoint
from pcpg.reader.network import LipReader
from pcpg.report import page
from pcpg.report.claims.claims import Claim, Comparison
from pcpg.report.claims.judge import VERDICTS as WORDS
from pcpg.report.claims.judge import Judged, Verdict
from pcpg.report.costs import read_costs, write_costs
from pcpg.report.names import figure_names
from pcpg.report.page import accounts, figures, mouths, predictions
from pcpg.report.page.claims import reach
from pcpg.report.paper import CORPORA
from pcpg.report.results.files import read_predictions
from pcpg.report.results.results import Results
from pcpg.report.results.stats import Estimate
from pcpg.report.tables.fill import fill
from pcpg.report.tables.layouts import layout_of
from pcpg.settings import load as params
from pcpg.settings.schema import Params
from pcpg.workspace.errors import InputError
from pcpg.workspace.paths import Paths
from pcpg.workspace.rows import write_rows
from tests.conftest import REGION, store_of

EVIL = "</script><script>window.pwned = 1</script> \"&amp;'<b onclick=x>"
FACTS = ["clip", "speaker", "reference"]
CLIPS = {"s1/one": "bin blue", "s1/two": "set red", f"s1/{EVIL}": "lay a"}
SCRATCH = "fig6_grid_scratch"  # one column
PAIR = Comparison("grid", "k1s1", "ce", "wer", paper=-1.7)
COURSE = Comparison("grid", "k1s1", "ce", "updates", level=30)


def claim_of(name: str, word: str, judged: list[Judged], statement="one beats the other", reason="2 of 2 shown"):
    claim = Claim(name, statement, tuple(one.comparison for one in judged))
    return Verdict(claim, word, f"{word} (GRID; fine-tuned)", reason, tuple(judged))


def judged(value: float, reach: float, pair: Comparison = PAIR) -> Judged:
    """With an interval of 90 % from value - reach to value + reach; Student's t of two degrees of freedom is 2.92."""
    return Judged(pair, Estimate(value, (reach / 2.919986) ** 2, 0.0, 3, 240), -0.7, 0.01, 0.02, "shown")


VERDICTS = [
    claim_of("C1", "reproduced", [judged(-2.5, 1.5), judged(30, 25, COURSE)]),
    claim_of("C2", "not reproduced", [judged(6, 1)], EVIL, EVIL),
    claim_of("C3", "undecided", [judged(-2.5, 7, replace(PAIR, paper=math.nan, role="control")), judged(-1, 1)]),
    claim_of("C4", "not run", [Judged(PAIR, None)]),
    claim_of("C5", "reversed", [judged(2, 1)]),
    claim_of("C6", "undecided", [Judged(PAIR, Estimate(-16.7, math.nan, math.nan, 1, 240))]),
]


def predicted(base: Path, run: str, seed: int = 1, corpus: str = "grid", preset="smoke", **decoders: list[str]) -> Path:
    """Add predictions of CLIPS; one list of hypotheses a decoder."""
    facts = [dict(zip(FACTS, (clip, "s1", text), strict=True)) for clip, text in CLIPS.items()]
    columns = [dict(zip(decoders, texts, strict=True)) for texts in zip(*decoders.values(), strict=True)]
    return predict(base, corpus, run, seed, [f | column for f, column in zip(facts, columns, strict=True)], preset)


def stored(folder: Path) -> None:
    """A clip store with one training clip and the clips of CLIPS for test, noise of 7, 8, ... frames."""
    clips = [("s1/train", "now", "train"), *((clip, text, "test") for clip, text in CLIPS.items())]
    lengths = range(6, 6 + len(clips))
    noise = np.random.default_rng(0).integers(0, 256, (sum(lengths), 96, 96), dtype=np.uint8)
    clips = [Clip(clip, "", "s1", split, text, -1, 0, 0) for clip, text, split in clips]
    store_of(folder, clips, np.split(noise, np.cumsum(lengths)[:-1]))


def trained(path: Path, settings: Params) -> None:
    torch.manual_seed(0)
    view, network = settings.view["grid"].model_dump(), settings.network["grid"].model_dump()
    content = {
        "view": view,
        "network": network,
        "model": LipReader(**network).state_dict(),
        "region": REGION.model_dump(),
    }
    checkpoint.save(path, content | {"mean": 0.5, "std": 0.3, "words": [], "iteration": 1})


class Site:
    """A folder with a little of everything that the page shows."""

    def __init__(self, root: Path, base: Path):
        self.file = base / "params.yaml"
        text = (root / "tests" / "smoke.params.yaml").read_text()
        self.file.write_text(f"{text}# {EVIL}\n", encoding="utf-8")
        self.settings, self.paths = params.load(self.file), Paths("smoke", base)
        predicted(base, "ce", greedy=["bin blue", "set bed", "lay a a"], beam=["bin blue", "set red", "lay"])
        predicted(base, "k5s1", greedy=["bin glue", "set six by red", ""], beam=["bin glue", EVIL, "lay a"])
        predicted(base, "scratch", corpus="lrw", classified=["bin blue", "lay a", "lay a"])
        write_rows(self.paths.inventory("grid") / "summary.csv", Count, [Count("clips made", 3)])
        write_rows(
            self.paths.inventory("grid") / "lengths.csv",
            Length,
            [Length(75, 2), Length(74, 1)],
        )
        write_rows(self.paths.inventory("grid") / "notes.csv", Note, [Note(EVIL, "excluded", "raw", EVIL)])
        self.paths.figures.mkdir(parents=True)
        Image.new("RGB", (40, 20), "red").save(self.paths.figures / "strip.png", dpi=(20, 20))  # of one column
        wide = '<svg xmlns="http://www.w3.org/2000/svg" width="516pt" height="90pt" viewBox="0 0 516 90"></svg>'
        (self.paths.figures / "fig6_grid.svg").write_text(wide)
        stored(self.paths.clips("grid"))
        trained(self.paths.weights("grid", "k5s1", 1), self.settings)

    def render(self) -> str:
        """With VERDICTS in place of those of its few runs."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(page, "judge", lambda results: VERDICTS)
            return page.render_page(self.settings, self.paths, self.file)


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    return Site(root, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def html(site):
    return site.render()


@pytest.fixture(scope="module")
def found(html):
    return json.loads(re.search(r'<script type="application/json" id="content">(.*?)</script>', html, re.DOTALL)[1])


class Reader(HTMLParser):
    """Collects the elements of a page, and the text outside scripts and styles."""

    def __init__(self, html: str):
        super().__init__()
        self.elements, self.text, self.inside = [], "", ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.text += data


def rebuilt(reference: str, steps: str) -> tuple[int, int, int]:
    """Characters of the reference and of the hypothesis that the steps use, and the edits."""
    parts = [(int(length), sign) for length, sign in re.findall(r"(\d+)([=sdi])", steps)]
    used = [sum(length for length, sign in parts if sign in signs) for signs in ("=sd", "=si", "sdi")]
    return tuple(used)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "steps"),
    [
        ("bin blue", "bin blue", ""),
        ("bin blue", "bin glue", "4=1s3="),
        ("lay", "", "3d"),
        ("", "lay", "3i"),
        ("set red", "set reed", None),
        ("place white with x eight soon", "set blue by p seven please", None),
        ("naïve 𝄞 clef", "naive 𝄞𝄞 clef", None),
    ],
)
def test_steps_are_levenshteins(reference, hypothesis, steps):
    found = predictions.steps(reference, hypothesis)
    assert steps is None or found == steps
    if found:
        edits = Levenshtein.distance(reference, hypothesis)
        assert rebuilt(reference, found) == (len(reference), len(hypothesis), edits)


def test_every_prediction_is_in_the_page_and_each_text_once(site, found):
    assert len(found["texts"]) == len(set(found["texts"]))
    assert len(found["pairs"]) == len({tuple(pair[:2]) for pair in found["pairs"]})
    shown = {}
    for corpus in found["corpora"]:
        for run in corpus["runs"]:
            for seed in run["seeds"]:
                for decoder, pairs in seed["decoders"].items():
                    texts = [[found["texts"][text] for text in found["pairs"][pair][:2]] for pair in pairs]
                    shown[corpus["name"], run["name"], seed["seed"], decoder] = list(
                        zip(corpus["clips"], *zip(*texts, strict=True), strict=True)
                    )
    expected = {}
    for path in site.paths.results.glob("runs/*/*/predictions.csv"):
        corpus, run = path.parts[-3:-1]
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for decoder in rows[0].keys() - {"seed", *FACTS}:
            key = corpus, run, 1, decoder
            expected[key] = [(row["clip"], row["reference"], row[decoder]) for row in rows]
    assert shown == expected
    assert len(expected) == 5


def collect(site, base: Path) -> dict:
    return predictions.collect_predictions(Results(Paths("smoke", base), site.settings))


def test_runs_come_in_the_order_of_the_parameters(site, tmp_path):
    for run in ("k5s1", "k1s1", "ce"):
        predicted(tmp_path, run, greedy=["a", "b", "c"])
    found = collect(site, tmp_path)
    assert [run["name"] for run in found["corpora"][0]["runs"]] == ["ce", "k1s1", "k5s1"]
    assert predictions.references(found) == {"grid": list(CLIPS.values())}


def test_too_many_predictions_are_thinned_evenly_and_the_page_says_so(site, tmp_path, monkeypatch):
    predicted(tmp_path, "ce", greedy=["a", "b", "c"])
    monkeypatch.setattr(predictions, "LIMIT", 2)
    found = collect(site, tmp_path)
    assert found["corpora"][0]["clips"] == list(CLIPS)[:2]
    assert "GRID: 2 of 3 test clips, evenly spread, of 1 trained model" in predictions.coverage_lines(found)
    assert predictions._spread(10, 4) == [0, 2, 5, 7]


def test_predictions_that_do_not_belong_together_are_named(site, tmp_path):
    predicted(tmp_path, "ce", greedy=["a", "b", "c"])
    other = predicted(tmp_path, "k5s1", greedy=["a", "b", "c"])
    other.write_text(other.read_text().replace("set red", "set bed"))
    with pytest.raises(InputError, match=r"k5s1/predictions\.csv: its clips or references are not those of grid/ce"):
        collect(site, tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("seed,clip,speaker,reference,greedy\n", "holds no prediction"),
        ("seed,clip,speaker,reference,greedy\n1,a,b, ,d\n", "line 2: no reference"),
        ("seed,clip,speaker,reference,greedy\n1,a,b,c,d\n1,a,b,c,e\n", "lists a clip twice"),
        ("seed,clip,speaker,reference\n1,a,b,c\n", "has no decoder's column"),
        ("seed,clip,speaker,reference,greedy\n1,a,b,c\n", "line 2: has not as many cells as line 1"),
        ("seed,clip,speaker,reference,greedy\n1,a,b,c,d,e\n", "line 2: has not as many cells as line 1"),
    ],
)
def test_a_malformed_table_of_predictions_is_named(tmp_path, content, problem):
    (tmp_path / "predictions.csv").write_text(content)
    with pytest.raises(InputError, match=problem):
        read_predictions(tmp_path / "predictions.csv", [1])


def test_no_text_becomes_markup(html):
    reader = Reader(html)
    scripts = [attributes for tag, attributes in reader.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "content"}, {}]
    assert not [attributes for _, attributes in reader.elements if any(key.startswith("on") for key in attributes)]
    assert ("b", {"onclick": "x"}) not in reader.elements
    assert reader.text.count(EVIL) >= 5  # statement and reason, clip and reason of the note, parameters


def test_the_page_needs_nothing_else(html):
    reader = Reader(html)
    for tag, attributes in reader.elements:
        for key in ("src", "href", "srcset", "action", "data", "poster"):
            assert attributes.get(key, "#").startswith(("#", "data:")), (tag, attributes)
        assert "style" not in attributes
    styles = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    assert "url(" not in styles and "@import" not in styles
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)[-1]
    policy = next(attributes["content"] for tag, attributes in reader.elements if "http-equiv" in attributes)
    assert "default-src 'none'" in policy
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy


def test_same_inputs_same_bytes_and_no_path_of_this_machine(site, html):
    assert site.render() == html
    assert str(site.paths.base) not in html
    assert "snakemake --cores 2 --configfile params.yaml" in html


def test_nothing_but_parameters_still_makes_a_page(site, tmp_path):
    bare = page.render_page(site.settings, Paths("smoke", tmp_path), site.file)
    for text in ("no effect: not run", "All values in percent", "strip is not drawn yet", "No run has predictions yet"):
        assert text in bare
    assert "LRW-1000: not counted yet." in bare


def test_the_command_writes_the_page(site, html, monkeypatch):
    monkeypatch.chdir(site.paths.base)
    monkeypatch.setattr(sys, "argv", ["pcpg", "page"])
    monkeypatch.setattr("pcpg.workspace.guard.stage", lambda preset: None)  # its lock would last as long as pytest
    threads = torch.get_num_threads()
    try:
        assert cli.main() == 0
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(False)
    assert "set six by red" in (site.paths.results / "report.html").read_text(encoding="utf-8")


def test_the_files_of_the_page_are_installed(root):
    data = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["pcpg"]
    package = root / "src" / "pcpg"
    installed = {path for pattern in data for path in package.glob(pattern)}
    others = {path for path in (package / "report" / "page").iterdir() if path.is_file() and path.suffix != ".py"}
    assert len(others) == 4
    assert others <= installed


@pytest.mark.parametrize(
    ("sources", "kind", "sentence"),
    [
        ("sss", "generated corpora", "Every number of ours is from generated corpora: rendered faces in the formats of "
         "GRID, LRW and LRW-1000, in which nobody speaks; preset smoke, seed 1."),
        ("ddd", "real recordings", "Every number of ours is from real recordings of GRID, LRW and LRW-1000; "),
        ("lss", "real and generated", "Our numbers on GRID are from real recordings, those on LRW and LRW-1000 from "),
    ],
)  # fmt: skip
def test_the_page_says_on_which_data(site, sources, kind, sentence):
    words = {"s": "synthetic", "l": "local", "d": "download"}
    corpora = site.settings.corpora
    for name, letter in zip(site.settings.corpus_names, sources, strict=True):
        corpus = getattr(corpora, name)
        raw = corpus.raw.model_copy(update={"source": words[letter]})
        corpora = corpora.model_copy(update={name: corpus.model_copy(update={"raw": raw})})
    found = page.origin(site.settings.model_copy(update={"corpora": corpora}))
    assert found[0] == kind
    assert found[1].startswith(sentence)


def test_verdicts_have_word_shape_effect_and_interval(html):
    text = Reader(html).text
    for word in WORDS:
        assert f'href="#shape-{word.replace(" ", "-")}"' in html
        assert f'id="shape-{word.replace(" ", "-")}"' in html
        assert word in text
    assert "−2.5 [−4.0, −1.0]" in text
    assert "updates to a CER: +30.0 [+5.0, +55.0]" in text
    assert text.count("no effect: not run") == text.count("no interval: nothing is known of chance") == 1
    assert (
        html.index('id="C1-fine-tuned"')
        < html.index('id="table1"')
        < html.index('id="strip"')
        < html.index('id="rows"')
    )


def test_all_intervals_share_one_scale_in_points():
    assert reach(VERDICTS) == 10.0  # of 9.5 points; 55 iterations are no points


def test_controls_are_told_apart_and_not_drawn_with_the_claim(html):
    claim = html[html.index('id="C3-fine-tuned"') : html.index('id="C4-fine-tuned"')]
    assert "2 comparisons, 1 of them only reported" in claim
    assert '−1.0</b> <span class="whole">[−2.0, 0.0]</span>' in claim
    assert claim.count("<small> control</small>") == claim.count('<tr class="control">') == 1
    assert claim.count('class="effect"') == 1 + 2  # the claim's own above, and a drawing a row


def test_the_tables_are_those_of_the_runs(html):
    shown = html[html.index('id="table1"') : html.index('id="table2a"')]
    assert "Table I. Error rates" in shown and "preset smoke, seed 1" in shown
    shown = html[html.index('id="objectives"') :]
    assert '<th scope="row">GRID</th><td>mwer</td><td>mwer</td>' in shown


def test_notes_that_all_tables_share_stand_once(site):
    settings = site.settings.model_copy(update={"tables": ["table1", "table2a"]})
    tables = [fill(layout_of(name, settings), Results(site.paths, settings)) for name in settings.tables]
    html = page.render_page(settings, site.paths, site.file)
    shared = page.tables.shared_notes(tables)
    assert shared and page.tables.shared_notes(tables[:1]) == []
    assert all(html.count(escape(note)) == 1 for note in shared)
    own = {note for table in tables for note in table.layout.notes} - set(shared)
    assert own and all(escape(note) in html for note in own)


def test_costs_are_those_of_the_committed_run(site, tmp_path):
    assert "not recorded" in page.render_page(site.settings, Paths("smoke", tmp_path), site.file)
    paths = Paths("smoke", tmp_path)
    for run, peak in (("ce", 300), ("k5s1", None)):
        path = paths.record("grid", run, 1)
        path.parent.mkdir(parents=True)
        record = {"commit": "abc", "device": "a <b>fast</b> machine", "processes": 1, "updates": 1000, "seconds": 3725}
        path.write_text(json.dumps(record | {"peak_memory_mib": peak}))
    with pytest.raises(InputError, match="no training has left a record"):
        write_costs(site.settings, Paths("smoke", tmp_path / "elsewhere"))
    write_costs(site.settings, paths)
    part = accounts.costs_part(site.settings, paths)
    assert part["rows"][0] == ["GRID ce", "1", "1,000", "62:05", "3.725", "300 MiB", "1 x a <b>fast</b> machine"]
    assert part["rows"][1][5] == "not recorded" and part["commits"] == [("abc", 2)]
    html = page.render_page(site.settings, paths, site.file)
    assert "Of the committed run: 2 trainings took about 2.1 hours" in html and "a &lt;b&gt;fast" in html
    file = paths.results / "costs.csv"
    heading, line, *others = file.read_text().splitlines()
    wrong_cells = (("seconds", "soon"), ("seconds", "inf"), ("seconds", "-1"), ("updates", "0"), ("updates", "12.5"))
    for key, wrong in wrong_cells:
        row = dict(zip(heading.split(","), next(csv.reader([line])), strict=True)) | {key: wrong}
        file.write_text("\n".join([heading, ",".join(row.values()), *others]))
        with pytest.raises(InputError, match=r"costs\.csv, line 2: is not a row of costs"):
            read_costs(paths)
    record = paths.record("grid", "ce", 1)
    content = json.loads(record.read_text())
    for wrong in ([], content | {"updates": "many"}):
        record.write_text(json.dumps(wrong))
        with pytest.raises(InputError, match=r"ce/seed1\.json: is not a record"):
            write_costs(site.settings, paths)


def test_the_page_follows_from_no_record(site, html):
    path = site.paths.record("grid", "ce", 1)
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert site.render() == html


def test_a_small_drawing_stays_a_drawing_and_a_large_one_becomes_its_pixels(tmp_path, monkeypatch):
    drawing = '<svg width="108pt">\n  <path d="M 1.234567 2\nL 3 4.999"/><g y="1.234567"/></svg>'
    (tmp_path / "a.svg").write_text(drawing)
    Image.new("RGBA", (30, 10), (200, 10, 10, 255)).save(tmp_path / "a.png", dpi=(10, 10))
    source, inches = figures.picture("a", tmp_path)
    assert inches == 1.5
    assert unquote(source.removeprefix("data:image/svg+xml,")) == figures.slim(drawing)
    assert 'd="M 1.23 2 L 3 4.99"' in figures.slim(drawing)
    assert 'y="1.234567"' in figures.slim(drawing)
    monkeypatch.setattr(figures, "SVG_LIMIT", 10)
    source, inches = figures.picture("a", tmp_path)
    assert round(inches, 2) == 3
    pixels = base64.b64decode(source.removeprefix("data:image/webp;base64,"))
    with Image.open(io.BytesIO(pixels)) as image, Image.open(tmp_path / "a.png") as original:
        assert np.array_equal(np.asarray(image.convert("RGB")), np.asarray(original.convert("RGB")))


def test_many_pixels_become_a_likeness(tmp_path, monkeypatch):
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.png", dpi=(400, 400))
    monkeypatch.setattr(figures, "WEBP_LIMIT", 10)
    source, inches = figures.picture("a", tmp_path)
    assert round(inches, 2) == 0.16
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as image:
        assert image.size == (32, 32)
        assert np.abs(np.asarray(image.convert("L")).astype(int) - smooth[::2, ::2]).mean() < 5


def test_every_figure_has_a_caption_and_an_alternative_text():
    for name in figure_names(tuple(CORPORA)):
        caption, alt = figures.describe_figure(name)
        assert caption != name, name
        assert len(alt) > 40
        assert "{" not in caption
    halves = [
        figures.describe_figure(name)[1].endswith("right half enlarges the end.") for name in ("fig6_grid", SCRATCH)
    ]
    assert halves == [True, False]


def test_the_digest_of_the_parameter_file_is_printed_where_the_other_commands_run(site):
    assert accounts.again_part("presets/a b.yaml", site.file)["digests"][0][2] == "sha256sum 'presets/a b.yaml'"


@pytest.mark.parametrize("frames", [1, 4, 10, 75])
def test_a_strip_shows_ten_moments_of_the_middle(frames):
    clip = np.zeros((frames, 96, 96), np.uint8)
    clip[:, 16:80, 16:80] = (np.arange(frames) * 3)[:, None, None]
    with Image.open(io.BytesIO(base64.b64decode(mouths.strip(clip, 64)))) as image:
        assert image.size == (mouths.FRAMES * mouths.SIZE, mouths.SIZE)
        levels = np.asarray(image.convert("L"))[mouths.SIZE // 2, mouths.SIZE // 2 :: mouths.SIZE].astype(int)
    moments = [int((tile + 0.5) * frames / 10) for tile in range(10)]
    assert np.abs(levels - 3 * np.array(moments)).max() <= 6  # lossy


def test_attention_is_that_of_the_weights(site, found):
    from pcpg.reader import batches
    from pcpg.reader.attention import attend
    from pcpg.reader.text import to_batch

    corpus = found["corpora"][0]
    attention = corpus["attention"]
    assert (attention["run"], attention["seed"]) == ("k5s1", 1)
    assert list(corpus["strips"]) == ["0", "1", "2"]
    store = ClipStore(site.paths.clips("grid"))
    model, view = checkpoint.restore(checkpoint.load(site.paths.weights("grid", "k5s1", 1)), torch.device("cpu"))
    model.eval()
    batch = batches.collate(store, [1], view, torch.device("cpu"))
    with torch.no_grad():
        weights = attend(model.decoder, model.encode(batch.frames, batch.lengths), to_batch(["bin glue"])[0])[0, :-1]
    width, text = attention["maps"]["0"]
    levels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, width)
    assert levels.shape == tuple(weights.shape)
    assert np.abs(levels / 255 - (weights / weights.max()).numpy()).max() <= 0.5 / 255 + 1e-6
    assert "2" not in attention["maps"]  # nothing was written there


def test_weights_of_other_settings_give_no_attention(site, capsys):
    network = {**site.settings.network, "grid": site.settings.network["grid"].model_copy(update={"dropout": 0.4})}
    other = site.settings.model_copy(update={"network": network})
    assert mouths.trained_network(site.paths.weights("grid", "k5s1", 1), other, "grid", REGION) is None
    assert "was made with other settings" in capsys.readouterr().err


def test_a_clip_that_the_store_lacks_has_no_strip(site, found):
    corpus = {**found["corpora"][0], "clips": ["s1/elsewhere", "s1/one"], "runs": []}
    shown = mouths.media(site.settings, site.paths, corpus, found)
    assert list(shown["strips"]) == [1]
    assert shown["attention"] is None


def test_without_a_clip_store_the_page_has_no_mouths_and_says_so(site, found, tmp_path, capsys):
    assert mouths.media(site.settings, Paths("p", tmp_path), found["corpora"][0], found) == {}
    assert capsys.readouterr().err == f"page: {tmp_path}/clips/p/grid is not there: no mouths of grid\n"


def test_sizes_are_those_of_the_network(site, html):
    from pcpg.reader.sizes import measure

    part = accounts.sizes_part(site.settings, site.paths, {"grid": ["set red"]})
    sizes = measure(site.settings.view["grid"], site.settings.network["grid"], 75, 8)
    assert part["headings"][1] == "GRID: 75 frames, 8 steps, parameters"
    assert part["rows"][-1][:2] == ["total", f"{sum(size.parameters for size in sizes.values()):,}"]
    assert f'<tr class="sum"><th scope="row">total</th><td class="n">{part["rows"][-1][1]}</td>' in html


def test_the_lengths_of_clips_are_counted(site, tmp_path):
    quality = accounts.quality_part(site.settings, site.paths)
    assert quality["rows"][-1] == ["frames a clip", "74 to 75, median 75"]
    write_rows(Paths("smoke", tmp_path).inventory("grid") / "summary.csv", Count, [Count("clips made", 3)])
    assert accounts.quality_part(site.settings, Paths("smoke", tmp_path))["rows"][-1][1] == "not counted"


def test_many_notes_are_cut_and_the_page_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(accounts, "NOTES", 2)
    write_rows(tmp_path / "notes.csv", Note, [Note(f"s1/{i}", "excluded", "clips", "no face") for i in range(5)])
    part = accounts._of_corpus("GRID", tmp_path)
    assert part["summary"] == (
        "GRID: 5 notes on what is odd, repaired or left out; the first 2 of them, all are in notes.csv"
    )
    assert len(part["notes"]) == 2


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(scheme):
    """WCAG 2 AA: 4.5 to 1 for text, 3 to 1 for what is drawn."""
    css = (Path(page.__file__).parent / "page.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[scheme]))

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    words = ["ink", "soft", "link", "good", "bad", "open", "none"]
    pairs = [(word, ground) for word in words for ground in ("paper", "raised")]
    pairs += [("mark-ink", "mark"), ("insert-ink", "insert"), ("lack-ink", "lack")]
    assert {pair: contrast(*pair) for pair in pairs if contrast(*pair) < 4.5} == {}
    drawn = [(line, "paper") for line in ("range", "effect", "theirs")]
    assert {pair: contrast(*pair) for pair in drawn if contrast(*pair) < 3} == {}


def test_only_what_is_pinned_has_its_version_on_the_page(root):
    """Pythons of several releases make the same bytes, so the page must not tell them apart."""
    pinned = re.findall(r"^([\w.-]+)==", (root / "requirements.txt").read_text(), re.M)
    told = {re.sub(r"[._]", "-", name.lower()) for name in accounts.versions()}
    assert {"torch", "numpy", "pcpg"} <= told <= {*pinned, "pcpg"}
