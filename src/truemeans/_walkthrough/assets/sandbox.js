// A place to try: points and centroids to drag, cells that follow, and the page's own Lloyd.

const MOST_POINTS = 300;
const MOST_CLUSTERS = 12;

// A small generator (Tommy Ettinger's mulberry32) for the draws of the sandbox.
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const scatter = (random, n, [x, y], [sx, sy]) =>
  [...Array(n)].map(() => [x + sx * normal(random), y + sy * normal(random)]);
const circle = (random, n, radius) =>
  [...Array(n)].map((_, i) => {
    const turn = (2 * Math.PI * (i + random())) / n;
    const r = radius + 0.25 * normal(random);
    return [5 + r * Math.cos(turn), 5 + r * Math.sin(turn)];
  });

// Data to try, each with something to see.
const SCENES = {
  groups: (random) => [[2.2, 2.6], [7.6, 3], [5, 7.6]].flatMap((c) => scatter(random, 16, c, [0.8, 0.8])),
  rings: (random) => [...circle(random, 16, 1.1), ...circle(random, 36, 4.2)],
  long: (random) => [...scatter(random, 24, [5, 3.6], [2.2, 0.3]), ...scatter(random, 24, [5, 6], [2.2, 0.3])],
  uneven: (random) => [...scatter(random, 44, [3.6, 5], [1.5, 1.5]), ...scatter(random, 8, [8.6, 5], [0.3, 0.3])],
  none: (random) => [...Array(50)].map(() => [10 * random(), 10 * random()]),
};

function makeSandbox() {
  const state = { points: [], start: [], centroids: [], labels: [], round: 0, settled: false, inertia: 0 };
  let active = { kind: "point", at: 0 };
  let tool = "move";
  let timer = null;
  let ghosts = null;
  const plot = makePlot(el("sandbox-plot"), {
    pointRadius: 7, centroidRadius: 15, axes: run.plane.names, numbers: true, live: true,
  });
  const figure = el("sandbox-stage");

  const places = (points) => points.map((point) => point.map((x) => Number(x.toPrecision(6))));

  function load(scene) {
    stop();
    state.points = places(scene === "run" ? screenPoints : SCENES[scene](generator(Number(el("seed").value) + 1)));
    if (scene === "run" && !isPicture && run.points[0].length === 2) state.points = run.points.map((point) => [...point]);
    active = { kind: "point", at: 0 };
    resize();
    if (scene === "run") begin(frames[1].centroids.map(project));
    else fresh();
  }

  // The draw of distinct points, as many as there are clusters.
  function fresh() {
    const random = generator(Number(el("seed").value));
    const left = state.points.map((_, i) => i);
    const count = Math.min(Number(el("clusters").value), left.length);
    const drawn = [...Array(count)].map(() => left.splice(Math.floor(random() * left.length), 1)[0]);
    begin(drawn.map((i) => [...state.points[i]]));
  }

  function begin(centroids) {
    stop();
    state.start = centroids;
    state.centroids = centroids;
    el("clusters").value = centroids.length;
    Object.assign(state, { round: 0, settled: false });
    changed("New start.");
  }

  // Something was moved by hand: what is shown is a start again.
  function touched(said) {
    stop();
    state.start = state.centroids;
    Object.assign(state, { round: 0, settled: false });
    if (el("keep").checked) settle();
    else changed(said);
  }

  function changed(said, from = null) {
    ghosts = from;
    const before = state.labels;
    state.labels = assignAll(state.points, state.centroids);
    state.inertia = objective(state.points, state.labels, state.centroids);
    state.moves = state.labels.filter((label, i) => before[i] !== undefined && before[i] !== label).length;
    render();
    if (said) el("sandbox-said").textContent = `${said} J = ${square(state.inertia)}.`;
  }

  // One update step, and the assignment that follows from it.
  function step() {
    const moved = updateAll(state.points, state.labels, state.centroids);
    state.round += 1;
    state.settled = moved.every((centroid, j) => !lexicographic(centroid, state.centroids[j]));
    const from = state.centroids;
    state.centroids = moved;
    changed(null, from);
    const rounds = plural(state.round, "round");
    el("sandbox-said").textContent = state.settled
      ? `Nothing changes any more: converged after ${rounds}. J = ${square(state.inertia)}.`
      : `Round ${state.round}: the centroids moved to the means, ${plural(state.moves, "point")} changed sides. J = ${square(state.inertia)}.`;
    return state.settled;
  }

  function runOn() {
    if (timer) return stop();
    if (still.matches) return settle();
    el("run").textContent = "Pause";
    const beat = () => {
      timer = step() ? stop() : setTimeout(beat, 650);
    };
    beat();
    return undefined;
  }

  function stop() {
    clearTimeout(timer);
    timer = null;
    el("run").textContent = "Run to the end";
    return null;
  }

  function settle() {
    const end = lloyd(state.points, state.centroids);
    Object.assign(state, { centroids: end.centroids, round: end.nIter, settled: end.converged });
    changed(`Settled in ${plural(end.nIter, "round")}.`);
  }

  function render() {
    plot.show({
      points: state.points, labels: state.labels, centroids: state.centroids, shaded: true, spokes: el("spokes").checked,
      chosen: active.kind === "point" ? active.at : null, rulers: el("spokes").checked, ghosts,
      names: (i) => `Point ${i + 1} at ${placeText(state.points[i])}, cluster ${LETTERS[state.labels[i]]}`,
    });
    state.centroids.forEach((_, j) => plot.centroid(j).classList.toggle("active", active.kind === "centroid" && active.at === j));
    el("sandbox-round").textContent = state.settled ? `${state.round}, converged` : String(state.round);
    el("sandbox-objective").textContent = square(state.inertia);
    const sizes = sizesOf(state.labels, state.centroids.length);
    el("sandbox-sizes").replaceChildren(...sizes.map((size, j) => make("li", {}, chip(j), ` ${size}`)));
    const items = el("item");
    const wanted = [...state.centroids.map((_, j) => [`centroid-${j}`, `Centroid ${LETTERS[j]}`]), ...state.points.map((_, i) => [`point-${i}`, `Point ${i + 1}`])];
    if (items.options.length !== wanted.length || items.dataset.k !== String(state.centroids.length)) {
      items.replaceChildren(...wanted.map(([name, text]) => make("option", { value: name }, text)));
      items.dataset.k = state.centroids.length;
    }
    items.value = `${active.kind}-${active.at}`;
    [el("item-x").value, el("item-y").value] = here().map((x) => Number(x.toPrecision(6)));
    el("remove").disabled = active.kind !== "point" || state.points.length <= state.centroids.length;
    el("add").disabled = state.points.length >= MOST_POINTS;
    el("step").disabled = state.settled;
  }

  const here = () => (active.kind === "point" ? state.points : state.centroids)[active.at];

  function moveTo(target) {
    const kind = active.kind === "point" ? "points" : "centroids";
    const at = target.map((x) => Number(x.toPrecision(6)));
    state[kind] = state[kind].map((old, i) => (i === active.at ? at : old));
    touched(null);
  }

  function add(target) {
    if (state.points.length >= MOST_POINTS) return;
    state.points = [...state.points, ...places([target])];
    active = { kind: "point", at: state.points.length - 1 };
    touched(`Point ${state.points.length} added.`);
  }

  function remove(at) {
    if (state.points.length <= state.centroids.length) {
      el("sandbox-said").textContent = "Every cluster needs a point of its own: lower K first.";
      return;
    }
    state.points = state.points.filter((_, i) => i !== at);
    state.labels = [];
    active = { kind: "point", at: Math.min(at, state.points.length - 1) };
    touched(`Point ${at + 1} removed.`);
  }

  const local = (event) => {
    const box = plot.svg.getBoundingClientRect();
    return plot.back(event.clientX - box.left, event.clientY - box.top);
  };

  function down(event) {
    const centroid = event.target.closest(".centroid");
    const dot = event.target.closest("[data-point]");
    if (tool === "add" && !centroid) return add(local(event));
    if (tool === "remove" && dot) return remove(Number(dot.dataset.point));
    if (!centroid && !dot) return undefined;
    active = centroid
      ? { kind: "centroid", at: [...plot.layers.centroids.children].indexOf(centroid) }
      : { kind: "point", at: Number(dot.dataset.point) };
    render();
    if (tool === "remove") return undefined;
    plot.svg.setPointerCapture(event.pointerId);
    plot.svg.classList.add("dragging");
    const inside = ([x, y]) => {
      const [low, high] = plotBounds;
      return [Math.min(high[0], Math.max(low[0], x)), Math.min(high[1], Math.max(low[1], y))];
    };
    const move = (next) => moveTo(inside(local(next)));
    const end = () => {
      plot.svg.classList.remove("dragging");
      plot.svg.removeEventListener("pointermove", move);
      el("sandbox-said").textContent = `${itemName()} is at ${placeText(here())}. J = ${square(state.inertia)}.`;
    };
    plot.svg.addEventListener("pointermove", move);
    plot.svg.addEventListener("pointerup", end, { once: true });
    plot.svg.addEventListener("pointercancel", end, { once: true });
    event.preventDefault();
    plot.svg.focus({ preventScroll: true });
    return undefined;
  }

  const itemName = () => (active.kind === "point" ? `Point ${active.at + 1}` : `Centroid ${LETTERS[active.at]}`);
  let plotBounds = [[0, 0], [1, 1]];

  function resize() {
    const width = figure.clientWidth;
    if (!width || !state.points.length) return;
    const height = Math.round(Math.min(width * (width < 560 ? 0.98 : 0.74), Math.max(360, innerHeight - 250)));
    const layout = layOutWithAxes(state.points, width, height);
    plotBounds = layout.bounds;
    plot.setLayout(layout);
    if (state.centroids.length) render();
  }

  function key(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (by) {
      const unit = (plotBounds[1][0] - plotBounds[0][0]) / (event.shiftKey ? 200 : 40);
      moveTo(here().map((x, f) => x + by[f] * unit));
      el("sandbox-said").textContent = `${itemName()} is at ${placeText(here())}. J = ${square(state.inertia)}.`;
    } else if (event.key === "Delete" || event.key === "Backspace") {
      if (active.kind === "point") remove(active.at);
    } else return;
    event.preventDefault();
  }

  function listen() {
    plot.svg.addEventListener("pointerdown", down);
    plot.svg.addEventListener("keydown", key);
    for (const input of document.querySelectorAll("input[name=tool]")) {
      input.onchange = () => {
        tool = input.value;
        plot.svg.dataset.tool = tool;
      };
    }
    el("scene").onchange = () => load(el("scene").value);
    el("step").onclick = () => step();
    el("run").onclick = runOn;
    el("fresh").onclick = fresh;
    el("again").onclick = () => begin(state.start);
    el("seed").onchange = fresh;
    el("clusters").onchange = () => {
      const most = Math.min(MOST_CLUSTERS, state.points.length);
      el("clusters").value = Math.max(1, Math.min(most, Math.round(Number(el("clusters").value)) || 1));
      fresh();
    };
    el("keep").onchange = () => el("keep").checked && settle();
    el("spokes").onchange = render;
    el("add").onclick = () => add([0, 1].map((f) => (plotBounds[0][f] + plotBounds[1][f]) / 2));
    el("remove").onclick = () => remove(active.at);
    el("item").onchange = () => {
      const [kind, at] = el("item").value.split("-");
      active = { kind, at: Number(at) };
      render();
    };
    el("item-x").onchange = el("item-y").onchange = () => {
      const target = [Number(el("item-x").value), Number(el("item-y").value)];
      if (target.every(Number.isFinite)) moveTo(target);
    };
  }

  listen();
  return { state, load, resize, settle, step };
}
