// The walkthrough: one frame at a time, by button, key, scrubber or address.

const el = (id) => document.getElementById(id);
const SECONDS_A_FRAME = 3.2;

function makePlayer() {
  let index = 0;
  let chosen = null; // the point the reader picked
  let hovered = null;
  let timer = null;
  let question = null;
  const figure = el("stage");
  const plot = makePlot(el("plot"), {
    pointRadius: N <= 60 ? 7 : N <= 250 ? 5 : 3.6,
    centroidRadius: 15,
    axes: run.plane.names,
    numbers: true,
    live: true,
  });
  const predictor = makePredictor(el("question"), () => {
    question = null;
    go(index + 1, { answered: true });
  });

  const current = () => frames[index];
  const point = () => hovered ?? chosen ?? (current().kind === "assign" ? spotlight(current()) : null);

  function go(next, { answered = false } = {}) {
    const target = Math.max(0, Math.min(frames.length - 1, next));
    if (el("predict").checked && !answered && target === index + 1) {
      question = predictor.questionFor(frames[target]);
      if (question) {
        predictor.ask(question);
        if (question.point !== null) render(question.point);
        return;
      }
    }
    question = null;
    if (!answered) predictor.clear();
    index = target;
    if (index === frames.length - 1) pause();
    render();
    const address = `#${current().name}`;
    if (location.hash !== address) history.replaceState(null, "", address);
  }

  function render(asked = null) {
    const frame = current();
    const view = viewOf(frame, asked ?? point());
    plot.show(view);
    figure.dataset.kind = frame.kind;
    figure.dataset.frame = frame.name;
    el("kicker").textContent = `Frame ${index + 1} of ${frames.length}`;
    el("title").textContent = frame.title;
    el("text").textContent = frame.text;
    el("scrubber").value = index;
    el("scrubber").setAttribute("aria-valuetext", `${frame.title}, frame ${index + 1} of ${frames.length}`);
    for (const [id, off] of [["first", !index], ["back", !index], ["next", index === frames.length - 1], ["last", index === frames.length - 1]]) {
      el(id).setAttribute("aria-disabled", off);
    }
    for (const link of el("frames").querySelectorAll("a")) {
      if (Number(link.dataset.index) === index) {
        link.setAttribute("aria-current", "step");
        const list = el("frames");
        list.scrollTop = link.offsetTop - list.clientHeight / 2;
      } else link.removeAttribute("aria-current");
    }
    renderNumbers();
    drawChart(el("chart"), index);
    el("parts").replaceChildren(...partsBar(frame));
    el("history-card").hidden = !frame.labels;
    if (frame.labels) drawHistory(el("history"), index, choose);
    el("changes").textContent = frame.kind === "assign" && frame.was ? `${frame.changed.size} of ${N} changed` : "";
    if (el("all-numbers").open) el("table").replaceChildren(frameTable(frame));
  }

  function renderNumbers() {
    const frame = current();
    const i = point();
    const parts = {
      data: () => [],
      start: () => [centroidList(frame)],
      assign: () => [],
      update: () => [updatePanel(frame)].flat(),
      stop: () => stopPanel(frame),
    }[frame.kind]();
    const about = i != null && frame.centroids ? distancePanel(frame, i).filter(Boolean) : [];
    el("numbers").replaceChildren(...parts, ...(frame.kind === "assign" || chosen !== null || hovered !== null ? about : []));
    el("numbers").hidden = !el("numbers").childElementCount;
    el("tip").hidden = hovered === null;
    if (hovered !== null) showTip(hovered);
  }

  function showTip(i) {
    const tip = el("tip");
    const frame = current();
    tip.replaceChildren(
      make("strong", {}, `Point ${i + 1}`), make("span", {}, ` ${rowText(run.points[i])}`),
      ...(frame.centroids ? [make("ul.plain", {}, squares(distances(frame, i)).map((text, j) =>
        make("li", { class: frame.labels?.[i] === j ? "own" : null }, chip(j), ` ${text}`)))] : []));
    const [x, y] = plot.at(screenPoints[i]);
    const box = el("plot").getBoundingClientRect();
    const outer = figure.getBoundingClientRect();
    const left = box.left - outer.left + x;
    tip.style.left = `${Math.max(8, Math.min(left + 16, outer.width - tip.offsetWidth - 8))}px`;
    tip.style.top = `${box.top - outer.top + Math.max(4, y - tip.offsetHeight - 14)}px`;
  }

  function choose(i) {
    chosen = chosen === i ? null : i;
    hovered = null;
    render();
    return chosen;
  }

  // A step through the points with the up and down keys; the focus goes along.
  function walk(step) {
    const from = chosen ?? -1;
    chosen = (from + step + N + (from < 0 && step < 0 ? 1 : 0)) % N;
    hovered = null;
    render();
    el("spoken").textContent = current().centroids
      ? `${pointName(current(), chosen)}. Squared distances: ${squares(distances(current(), chosen)).map((text, j) => `${LETTERS[j]} ${text}`).join(", ")}.`
      : pointName(current(), chosen);
  }

  function play() {
    if (timer) return pause();
    if (index === frames.length - 1) go(0);
    document.body.classList.add("playing");
    el("play").setAttribute("aria-label", "Pause");
    const tick = () => {
      if (!question) go(index + 1);
      if (timer !== null) timer = setTimeout(tick, (SECONDS_A_FRAME * 1000) / Number(el("speed").value));
    };
    timer = setTimeout(tick, 600);
    return undefined;
  }

  function pause() {
    clearTimeout(timer);
    timer = null;
    document.body.classList.remove("playing");
    el("play").setAttribute("aria-label", "Play");
  }

  function resize() {
    const width = figure.clientWidth;
    if (!width) return;
    const tall = Math.round(Math.min(width * (width < 560 ? 0.98 : 0.74), Math.max(360, innerHeight - 330)));
    const layout = layOutWithAxes(screenPoints, width, run.plane.kind === "line" ? 230 : tall);
    plot.setLayout(layout);
    el("not-to-scale").hidden = layout.toScale;
    render();
  }

  function listen() {
    el("first").onclick = () => go(0);
    el("back").onclick = () => go(index - 1);
    el("next").onclick = () => go(index + 1);
    el("last").onclick = () => go(frames.length - 1);
    el("play").onclick = play;
    el("scrubber").oninput = () => go(Number(el("scrubber").value), { answered: true });
    el("predict").onchange = () => predictor.clear();
    el("all-numbers").ontoggle = () => render();
    el("link").onclick = () => {
      navigator.clipboard?.writeText(location.href).catch(() => {});
      el("spoken").textContent = `Link to this frame: ${location.href}`;
      el("link").classList.add("done");
      setTimeout(() => el("link").classList.remove("done"), 1200);
    };
    const touched = (event) => event.target.closest("[data-point]")?.dataset.point;
    plot.svg.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch") return;
      const i = touched(event);
      const next = i === undefined ? null : Number(i);
      if (next === hovered || question) return;
      hovered = next;
      render();
    });
    plot.svg.addEventListener("pointerleave", () => {
      if (hovered === null) return;
      hovered = null;
      render();
    });
    plot.svg.addEventListener("click", (event) => {
      const centroid = event.target.closest(".centroid");
      if (question && centroid) {
        predictor.answer(question, [...plot.layers.centroids.children].indexOf(centroid));
        return;
      }
      const i = touched(event);
      if (i !== undefined) choose(Number(i));
    });
    plot.svg.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        walk(event.key === "ArrowDown" ? 1 : -1);
      }
    });
  }

  // Keys that work wherever the focus is, unless a control there needs them.
  function key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const busy = event.target.closest?.("input, select, textarea, [role=tab]");
    const actions = {
      ArrowRight: () => go(index + 1),
      ArrowLeft: () => go(index - 1),
      PageDown: () => go(index + 1),
      PageUp: () => go(index - 1),
      Home: () => go(0),
      End: () => go(frames.length - 1),
      " ": play,
      Escape: () => {
        chosen = null;
        hovered = null;
        render();
      },
    };
    if (busy && event.key !== "Escape") return;
    if (event.key === " " && event.target.closest?.("button, a, summary")) return;
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  el("scrubber").max = frames.length - 1;
  el("frames").append(...frames.map((frame) =>
    make("li", { class: frame.kind }, make("a", { href: `#${frame.name}`, "data-index": frame.index, title: frame.title },
      { data: "Data", start: "Start", stop: "Stop" }[frame.kind] ?? (frame.name === "final-assign" ? "Last" : [make("b", {}, String(frame.round)), frame.kind === "assign" ? "assign" : "update"])))));
  listen();
  return { go, key, resize, pause, show: (name) => go(frameNamed(name).index, { answered: true }), get index() { return index; } };
}
