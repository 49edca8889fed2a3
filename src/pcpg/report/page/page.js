"use strict";
// The browser of predictions. Its state is the address: #corpus=grid&run=k5s1&seed=1&clip=s1/bbaf2n&wrong=1&q=bin&page=2
(() => {
  const PAGE = 20;
  const WHOLE = "classified"; // the column that a word classifier writes
  const content = JSON.parse(document.getElementById("content").textContent);
  const at = (id) => document.getElementById(id);
  const pairs = content.pairs.map(([reference, hypothesis, steps]) => {
    const parts = [...steps.matchAll(/(\d+)([=sdi])/g)].map((part) => [Number(part[1]), part[2]]);
    const edits = parts.reduce((sum, [length, sign]) => sum + (sign === "=" ? 0 : length), 0);
    return { reference: content.texts[reference], hypothesis: content.texts[hypothesis], parts, edits };
  });
  const rows = flatten();
  const columns = { corpus: "by-corpus", run: "by-run", seed: "by-seed", order: "by-order", q: "by-text" };
  const flags = { wrong: "by-wrong", differ: "by-differ" };
  let state = {};
  let shown = [];

  function flatten() {
    const all = [];
    for (const corpus of content.corpora)
      for (const run of corpus.runs)
        for (const { seed, decoders } of run.seeds) {
          const ways = Object.keys(decoders);
          for (let i = 0; i < corpus.clips.length; i++) {
            const written = ways.map((way) => pairs[decoders[way][i]]);
            const most = Math.max(...written.map((pair) => pair.edits));
            all.push({ corpus, run: run.name, seed: String(seed), ways, written, i, most, place: all.length });
          }
        }
    return all;
  }

  // what an empty address shows: the run whose attention the page has, or the paper's, or the first
  function opening() {
    if (!content.corpora.length) return {};
    const [corpus] = content.corpora;
    const names = corpus.runs.map((run) => run.name);
    const looked = corpus.attention ? corpus.attention.run : "k5s1";
    const run = corpus.runs[Math.max(names.indexOf(looked), 0)];
    return { run: run.name, seed: String(run.seeds[0].seed) };
  }

  function matches(row) {
    const clip = row.corpus.clips[row.i];
    if (state.corpus && row.corpus.name !== state.corpus) return false;
    if (state.run && row.run !== state.run) return false;
    if (state.seed && row.seed !== state.seed) return false;
    if (state.clip && clip !== state.clip) return false;
    if (state.wrong && row.most === 0) return false;
    if (state.differ && row.written.every((pair) => pair.hypothesis === row.written[0].hypothesis)) return false;
    if (!state.q) return true;
    const texts = [clip, row.corpus.speakers[row.i] || "", row.written[0].reference];
    return texts.concat(row.written.map((pair) => pair.hypothesis)).some((text) => text.toLowerCase().includes(state.q));
  }

  function node(name, kind, ...children) {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    made.append(...children);
    return made;
  }

  const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

  function address(changes) {
    const parts = Object.entries({ ...changes }).filter(([, value]) => value);
    return "#" + parts.map(([key, value]) => `${key}=${encodeURIComponent(value).replace(/%2F/g, "/")}`).join("&");
  }

  // where each character of a hypothesis stands: at a character of the reference, or inserted before it
  function slots(pair) {
    const reference = Array.from(pair.reference);
    const hypothesis = Array.from(pair.hypothesis);
    const before = reference.map(() => []).concat([[]]);
    const over = [];
    let to = 0;
    let from = 0;
    for (const [length, sign] of pair.parts.length ? pair.parts : [[reference.length, "="]])
      for (let n = 0; n < length; n++) {
        if (sign === "i") before[to].push(hypothesis[from++]);
        else over[to++] = sign === "d" ? ["·", "d"] : [hypothesis[from++], sign];
      }
    return { before, over };
  }

  // the reference and its hypotheses, column by column; a classifier picks a word as a whole
  function aligned({ ways, written }) {
    if (ways[0] === WHOLE) return [written[0].reference, written[0].hypothesis].map((text, k) => [[text, k && written[0].edits ? "s" : "="]]);
    const reference = Array.from(written[0].reference);
    const all = written.map(slots);
    const lines = [[], ...all.map(() => [])];
    for (let i = 0; i <= reference.length; i++) {
      const room = Math.max(...all.map(({ before }) => before[i].length));
      for (let n = 0; n < room; n++) {
        lines[0].push([" ", "gap"]);
        all.forEach(({ before }, k) => lines[k + 1].push(n < before[i].length ? [before[i][n], "i"] : [" ", "gap"]));
      }
      if (i === reference.length) break;
      lines[0].push([reference[i], "="]);
      all.forEach(({ over }, k) => lines[k + 1].push(over[i]));
    }
    return lines;
  }

  // neighbours of one kind become one element, so that a reader's copy and a screen reader meet few of them
  function spelled(line, whole) {
    const box = node("span", "what");
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", whole || "nothing");
    let text = "";
    line.forEach(([character, kind], i) => {
      text += character;
      if (i + 1 < line.length && line[i + 1][1] === kind) return;
      box.append(kind === "=" ? text : node(kind === "gap" ? "span" : "mark", kind, text));
      text = "";
    });
    return box;
  }

  function lines(row) {
    const drawn = aligned(row);
    const box = node("div", "lines");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Reference and transcriptions");
    box.append(node("span", "who", "reference"), spelled(drawn[0], row.written[0].reference), node("span", "edits"));
    row.ways.forEach((way, k) => {
      const { hypothesis, edits } = row.written[k];
      const words = edits ? (way === WHOLE ? "another word" : plural(edits, "edit")) : "\u2713 right";
      box.append(node("span", "who", way), spelled(drawn[k + 1], hypothesis), node("span", edits ? "edits" : "edits right", words));
    });
    return box;
  }

  function meta(row) {
    const clip = row.corpus.clips[row.i];
    const link = node("a", "", clip);
    link.href = address({ corpus: row.corpus.name, clip });
    link.title = "This clip in all runs";
    const self = node("a", "anchor", "#");
    self.href = address({ corpus: row.corpus.name, run: row.run, seed: row.seed, clip });
    self.setAttribute("aria-label", "Link to this prediction");
    const speaker = row.corpus.speakers[row.i];
    const who = speaker && !clip.startsWith(`${speaker}/`) ? ` \u00b7 speaker ${speaker}` : "";
    return node("p", "meta", `${row.corpus.label} \u00b7 ${row.run} \u00b7 seed ${row.seed} \u00b7 `, link, `${who} `, self);
  }

  function mouth(row) {
    const strip = (row.corpus.strips || {})[row.i];
    if (!strip) return null;
    const box = node("figure", "mouth");
    const image = node("img");
    image.src = `data:image/webp;base64,${strip}`;
    image.alt = `Moments of the mouth in ${row.corpus.clips[row.i]}`;
    box.append(image);
    const looked = row.corpus.attention;
    const map = looked && looked.maps[row.i];
    if (map) box.append(...attention(row, looked, map));
    return box;
  }

  // 255 in a map is its highest weight
  function attention(row, looked, [width, bytes]) {
    const values = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
    const run = row.corpus.runs.find((each) => each.name === looked.run);
    const { decoders } = run.seeds.find((each) => each.seed === looked.seed);
    const text = Array.from(pairs[decoders.greedy[row.i]].hypothesis);
    const canvas = node("canvas");
    const button = node("button", "", canvas);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-label", `Attention while writing ${text.join("")}: enlarge`);
    const large = () => button.getAttribute("aria-expanded") === "true";
    canvas.redraw = () => draw(canvas, values, width, text, large());
    button.addEventListener("click", () => {
      button.setAttribute("aria-expanded", String(!large()));
      button.closest("li").classList.toggle("large", large());
      canvas.redraw();
    });
    requestAnimationFrame(canvas.redraw);
    return [button, node("figcaption", "", `attention of ${looked.run}, seed ${looked.seed}, greedy`)];
  }

  function draw(canvas, values, width, text, large) {
    const style = getComputedStyle(document.documentElement);
    const [line, label] = large ? [16, 18] : [4, 0];
    const room = canvas.clientWidth || 320;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(room * ratio);
    canvas.height = Math.round(text.length * line * ratio);
    canvas.style.height = `${text.length * line}px`;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const step = (room - label) / width;
    pen.fillStyle = style.getPropertyValue("--raised");
    pen.fillRect(label, 0, room - label, text.length * line);
    values.forEach((value, n) => {
      pen.fillStyle = `rgba(${style.getPropertyValue("--heat")}, ${value / 255})`;
      pen.fillRect(label + (n % width) * step, Math.floor(n / width) * line, step + 0.3, line);
    });
    if (!large) return;
    pen.fillStyle = style.getPropertyValue("--ink");
    pen.font = `12px ${style.getPropertyValue("--mono")}`;
    pen.textBaseline = "middle";
    text.forEach((character, u) => pen.fillText(character === " " ? "\u2423" : character, 2, (u + 0.5) * line));
  }

  function item(row) {
    const media = mouth(row);
    const made = node("li", media ? "" : "bare", node("div", "", meta(row), lines(row)));
    if (media) made.append(media);
    return made;
  }

  function show() {
    shown = rows.filter(matches);
    if (state.order) shown.sort((one, other) => other.most - one.most || one.place - other.place);
    turn(Number(state.page) || 1);
    const wrong = shown.reduce((sum, row) => sum + (row.most > 0), 0);
    const of = `${shown.length.toLocaleString("en")} of ${plural(rows.length, "prediction")}`;
    at("count").textContent = shown.length ? `${of}; ${wrong.toLocaleString("en")} of these with an error` : "No prediction fits these filters.";
  }

  function turn(page) {
    const last = Math.max(Math.ceil(shown.length / PAGE), 1);
    const now = Math.min(Math.max(page, 1), last);
    state.page = now > 1 ? String(now) : "";
    at("rows").replaceChildren(...shown.slice((now - 1) * PAGE, now * PAGE).map(item));
    for (const box of at("rows").querySelectorAll(".lines")) if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    at("page-number").textContent = `Page ${now.toLocaleString("en")} of ${last.toLocaleString("en")}`;
    at("page-first").disabled = at("page-before").disabled = now === 1;
    at("page-next").disabled = at("page-last").disabled = now === last;
  }

  // the address takes part without a new entry in the history, and without a jump
  function remember() {
    try {
      history.replaceState(null, "", address(state));
    } catch {
      // an embedded page may have no history of its own: it works without
    }
  }

  function fill(id, values) {
    const options = [["", "all"], ...values].map(([value, label]) => new Option(label, value));
    at(id).replaceChildren(...options);
  }

  function controls() {
    fill("by-corpus", content.corpora.map((corpus) => [corpus.name, corpus.label]));
    for (const key of ["run", "seed"]) fill(`by-${key}`, [...new Set(rows.map((row) => row[key]))].map((value) => [value, value]));
  }

  function reflect() {
    for (const [key, id] of Object.entries(columns)) at(id).value = state[key] || "";
    for (const [key, id] of Object.entries(flags)) at(id).checked = Boolean(state[key]);
  }

  function changed() {
    for (const [key, id] of Object.entries(columns)) state[key] = at(id).value;
    for (const [key, id] of Object.entries(flags)) state[key] = at(id).checked ? "1" : "";
    state.q = state.q.toLowerCase();
    state.clip = state.page = "";
    show();
    remember();
  }

  // -> whether the address speaks of predictions
  function follow() {
    const asked = location.hash.slice(1);
    if (!asked.includes("=")) return false;
    const known = [...Object.keys(columns), ...Object.keys(flags), "clip", "page"];
    state = Object.fromEntries([...new URLSearchParams(asked)].filter(([key]) => known.includes(key)));
    state.q = (state.q || "").toLowerCase();
    reflect();
    show();
    at("predictions").scrollIntoView();
    return true;
  }

  controls();
  const form = document.querySelector(".filters");
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(changed)); // once it has happened
  const go = { first: () => 1, before: (now) => now - 1, next: (now) => now + 1, last: () => Infinity };
  for (const [name, target] of Object.entries(go))
    at(`page-${name}`).addEventListener("click", () => {
      turn(target(Number(state.page) || 1));
      remember();
      at("count").scrollIntoView();
    });
  addEventListener("hashchange", follow);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.querySelectorAll("canvas").forEach((canvas) => canvas.redraw()));
  addEventListener("beforeprint", () => document.querySelectorAll(".claim details").forEach((fold) => (fold.open = true)));
  if (!follow()) {
    state = opening();
    reflect();
    show();
  }
})();
