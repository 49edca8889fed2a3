"""The page report.html in headless Chromium: it filters, fits a phone, follows the dark mode and reports no error."""

import json
import re
import shutil
import subprocess

import pytest
from test_page import EVIL, Site

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

# a page that shows the report in a frame of its own, uses it, and writes down what it saw
HARNESS = """<!DOCTYPE html><meta charset="utf-8"><iframe id="frame" style="width:%(width)dpx;height:900px"></iframe>
<pre id="seen"></pre><script>
const frame = document.getElementById("frame"), seen = {};
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const page = () => frame.contentDocument;
const at = (id) => page().getElementById(id);
const all = (css) => [...page().querySelectorAll(css)];
const rows = () => all("#rows li").map((row) => row.querySelector(".meta").textContent.replace(/ #$/, ""));
const load = (address) => new Promise((done) => { frame.onload = done; frame.src = address; });
const open = async (hash) => { await load("about:blank"); await load("report.html" + hash); await wait(100); };
const set = async (id, value) => {
  at(id)[at(id).type === "checkbox" ? "checked" : "value"] = value;
  at(id).dispatchEvent(new Event("input", { bubbles: true }));
  await wait(50);
};
(async () => { %(steps)s })().catch((error) => { seen.error = String(error); }).finally(() => {
  document.getElementById("seen").textContent = JSON.stringify(seen); });
</script>"""


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    made = Site(root, tmp_path_factory.mktemp("browser"))
    (made.paths.base / "report.html").write_text(made.render(), encoding="utf-8")
    return made


def browse(folder, steps: str, width: int = 1200, *flags: str) -> tuple[dict, list[str]]:
    """What the steps wrote into `seen`, and what the browser had to complain about."""
    (folder / "harness.html").write_text(HARNESS % {"width": width, "steps": steps}, encoding="utf-8")
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
        "--allow-file-access-from-files", "--virtual-time-budget=20000", "--enable-logging=stderr",
        "--hide-scrollbars", *flags,
        "--dump-dom", (folder / "harness.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    text = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    assert text, done.stderr
    plain = text[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(plain), complaints


@pytest.fixture(scope="module")
def desk(site):
    """One visit on a wide screen."""
    steps = """
      await open(""); seen.opening = rows(); seen.count = at("count").textContent;
      const canvas = page().querySelector("canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      seen.drawn = new Set(data).size > 5;
      seen.pwned = frame.contentWindow.pwned === undefined;
      seen.ground = getComputedStyle(page().body).backgroundColor;
      seen.names = [...page().querySelectorAll("input, select, button")].every((box) =>
        box.labels?.length || box.textContent.trim() || box.getAttribute("aria-label"));
      await open("#run=ce&corpus=grid&wrong=1"); seen.linked = rows();
      seen.chosen = [at("by-run").value, at("by-wrong").checked];
      seen.marks = all("#rows li:first-child mark").map((mark) => mark.className + mark.textContent);
      await open("#corpus=grid&run=k5s1&seed=1&clip=s1/two"); seen.one = rows();
      seen.evil = all("#rows .what").map((line) => line.getAttribute("aria-label")).find((text) => text[0] === "<");
      at("rows").querySelector(".meta a").click(); await wait(100); seen.everywhere = rows();
      page().querySelector("button[type=reset]").click(); await wait(200); seen.all = rows().length;
      await set("by-text", "GLUE"); seen.searched = rows(); seen.address = frame.contentWindow.location.hash;
      await set("by-text", "no such text"); seen.none = at("count").textContent;
      await set("by-text", ""); await set("by-differ", true); seen.differ = rows();
      await set("by-differ", false); await set("by-order", "worst"); seen.worst = rows()[0];
      await set("by-corpus", "lrw"); seen.words = all("#rows .edits").map((edits) => edits.textContent).filter(Boolean);
      await open("#claims"); seen.kept = rows();
    """
    return browse(site.paths.base, steps)


def test_no_complaint(desk):
    seen, complaints = desk
    assert "error" not in seen, seen
    assert complaints == []


def test_no_text_runs(desk):
    seen, _ = desk
    assert seen["pwned"] is True
    assert seen["evil"] == EVIL


def test_it_opens_on_the_run_whose_attention_is_drawn(desk):
    seen, _ = desk
    clips = ["s1/one", "s1/two", f"s1/{EVIL}"]
    assert seen["opening"] == [f"GRID · k5s1 · seed 1 · {clip}" for clip in clips]
    assert seen["kept"] == seen["opening"]
    assert seen["count"] == "3 of 9 predictions; 3 of these with an error"
    assert seen["drawn"] is True


def test_an_address_filters(desk):
    seen, _ = desk
    assert seen["linked"] == ["GRID · ce · seed 1 · s1/two", f"GRID · ce · seed 1 · s1/{EVIL}"]
    assert seen["chosen"] == ["ce", True]
    assert seen["marks"] == ["sb"]
    assert seen["one"] == ["GRID · k5s1 · seed 1 · s1/two"]


def test_a_clip_links_to_all_its_predictions(desk):
    seen, _ = desk
    assert seen["everywhere"] == ["GRID · ce · seed 1 · s1/two", "GRID · k5s1 · seed 1 · s1/two"]


def test_the_form_filters(desk):
    seen, _ = desk
    assert seen["all"] == 9
    assert seen["searched"] == ["GRID · k5s1 · seed 1 · s1/one"]
    assert seen["address"] == "#q=glue"
    assert seen["none"] == "No prediction fits these filters."
    assert seen["differ"] == [
        "GRID · ce · seed 1 · s1/two",
        f"GRID · ce · seed 1 · s1/{EVIL}",
        "GRID · k5s1 · seed 1 · s1/two",
        f"GRID · k5s1 · seed 1 · s1/{EVIL}",
    ]
    assert seen["worst"] == "GRID · k5s1 · seed 1 · s1/two"
    assert seen["words"] == ["another word", "✓ right", "✓ right"]


def test_every_control_has_a_name(desk):
    assert desk[0]["names"] is True


def test_a_phone_in_the_dark(site, desk):
    steps = """
      await open(""); all("details").forEach((fold) => { fold.open = true; }); await wait(50);
      seen.widths = [page().documentElement.scrollWidth, page().documentElement.clientWidth];
      seen.boxes = all(".scroll").length; seen.columns = all("figure.column").length;
      seen.ground = getComputedStyle(page().body).backgroundColor;
    """
    seen, complaints = browse(site.paths.base, steps, 390, "--blink-settings=preferredColorScheme=0")
    assert complaints == []
    assert seen["widths"] == [390, 390]  # nothing reaches beyond the screen
    assert seen["boxes"] > 5
    assert seen["columns"] == 1
    assert seen["ground"] != desk[0]["ground"]


def test_ten_thousand_predictions_turn_their_pages(site, tmp_path, desk):
    """A filter and the turn of a page take a blink and not a wait; with slack for a busy machine."""
    html = (site.paths.base / "report.html").read_text(encoding="utf-8")
    clips, pairs = [f"s{i % 30}/clip{i}" for i in range(1000)], [i % 50 for i in range(1000)]
    runs = [
        {"name": f"run{n}", "seeds": [{"seed": 1, "decoders": {"greedy": pairs, "beam": pairs}}]} for n in range(10)
    ]
    corpus = {"name": "grid", "label": "GRID", "clips": clips, "speakers": [], "total": 1000, "runs": runs}
    texts = [f"bin blue at {i:02} now" for i in range(51)]
    found = {"texts": texts, "pairs": [[i, i + 1, "13=1s4="] for i in range(50)], "corpora": [corpus]}
    start = html.index('id="content">') + len('id="content">')
    end = html.index("</script>", start)
    (tmp_path / "report.html").write_text(html[:start] + json.dumps(found) + html[end:], encoding="utf-8")
    steps = """
      await open("#q="); seen.count = at("count").textContent; const first = rows()[0];
      let start = performance.now(); await set("by-text", "now"); seen.filter = performance.now() - start - 50;
      start = performance.now(); at("page-next").click(); seen.turn = performance.now() - start;
      seen.moved = rows()[0] !== first; seen.page = at("page-number").textContent;
      seen.address = frame.contentWindow.location.hash;
      at("page-last").click(); seen.last = [rows().length, at("page-next").disabled, at("page-first").disabled];
    """
    seen, complaints = browse(tmp_path, steps)
    assert complaints == []
    assert seen["count"] == "10,000 of 10,000 predictions; 10,000 of these with an error"
    assert (seen["page"], seen["address"], seen["moved"]) == ("Page 2 of 500", "#q=now&page=2", True)
    assert seen["last"] == [20, True, False]
    assert seen["filter"] < 1000
    assert seen["turn"] < 1000
