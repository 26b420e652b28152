// A picture of points and centroids. One for the walkthrough, the strip and the sandbox.

const MOST_RULERS = 4;
const MOST_NUMBERS = 60;
const still = matchMedia("(prefers-reduced-motion: reduce)");

// options: pointRadius, centroidRadius, axes (names or null), live (points can be reached).
function makePlot(svg, options) {
  const layers = {};
  for (const name of ["cells", "grid", "spokes", "arrows", "points", "centroids"]) {
    layers[name] = draw("g", { class: name }, svg);
  }
  let layout = null;
  let dots = [];
  let centroidNodes = [];

  function setLayout(next) {
    layout = next;
    svg.setAttribute("viewBox", `0 0 ${next.width} ${next.height}`);
    svg.setAttribute("width", next.width);
    svg.setAttribute("height", next.height);
    if (options.axes) drawAxes();
  }

  function drawAxes() {
    const { width, height, margin, x, y } = layout;
    const [right, bottom] = [width - margin.right, height - margin.bottom];
    layers.grid.replaceChildren();
    const line = (x1, y1, x2, y2) => draw("line", { x1, y1, x2, y2 }, layers.grid);
    const text = (content, attributes) => {
      draw("text", attributes, layers.grid).textContent = content;
    };
    let free = -Infinity;
    for (const tick of across(layout)) {
      const at = x(tick.value);
      line(at, margin.top, at, bottom);
      // Long numbers would run into each other: those in the way are left out.
      const half = 3.8 * tick.text.length;
      if (at - half < free) continue;
      text(tick.text, { x: at, y: bottom + 16, class: "tick", "text-anchor": "middle" });
      free = at + half + 6;
    }
    if (options.axes[1]) {
      for (const tick of upwards(layout)) {
        line(margin.left, y(tick.value), right, y(tick.value));
        text(tick.text, { x: margin.left - 8, y: y(tick.value) + 4, class: "tick", "text-anchor": "end" });
      }
    }
    text(options.axes[0], { x: right, y: height - 4, class: "axis", "text-anchor": "end" });
    text(options.axes[1], { x: 4, y: 14, class: "axis" });
  }

  function makeDot(i) {
    const group = draw("g", { class: "dot" }, layers.points);
    group.dataset.point = i;
    draw("circle", { r: options.pointRadius + 8, class: "reach" }, group);
    draw("circle", { r: options.pointRadius + 4.5, class: "ring" }, group);
    draw("path", { class: "mark" }, group);
    if (options.numbers) {
      const text = draw("text", { class: "number", x: options.pointRadius + 2.5, y: -options.pointRadius }, group);
      text.textContent = i + 1;
    }
    if (options.live) group.setAttribute("role", "img");
    return group;
  }

  function fit(nodes, count, create) {
    while (nodes.length > count) nodes.pop().remove();
    while (nodes.length < count) nodes.push(create(nodes.length));
  }

  // view: points, labels, centroids, ghosts (where centroids were), changed (a set of points),
  // chosen (a point), drawn (a set of points), names (what to call each point); shaded, spokes and
  // rulers say whether cells, lines to the own centroid and lines from the chosen point are drawn.
  function show(view) {
    fit(dots, view.points.length, makeDot);
    svg.classList.toggle("crowded", view.points.length > MOST_NUMBERS);
    view.points.forEach((point, i) => {
      const label = view.labels?.[i];
      const dot = dots[i];
      place(dot, layout.at(point));
      const classes = ["dot", clusterClass(label)];
      if (view.changed?.has(i)) classes.push("changed");
      if (view.drawn?.has(i)) classes.push("drawn");
      if (view.chosen === i) classes.push("chosen");
      dot.setAttribute("class", classes.join(" "));
      const mark = dot.querySelector(".mark");
      mark.setAttribute("d", markPath(label));
      mark.setAttribute("transform", `scale(${options.pointRadius})`);
      if (options.live) dot.setAttribute("aria-label", view.names(i));
    });
    const count = view.centroids?.length ?? 0;
    fit(centroidNodes, count, (j) => drawCentroid(layers.centroids, j, options.centroidRadius));
    for (let j = 0; j < count; j++) place(centroidNodes[j], layout.at(view.centroids[j]));
    drawCells(view);
    drawSpokes(view);
    drawArrows(view);
  }

  const outline = (polygon) => polygon.map(layout.at).map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ");

  function drawCells({ centroids, shaded }) {
    layers.cells.replaceChildren();
    if (!centroids || !shaded) return;
    cells(centroids, layout.bounds).forEach((polygon, j) => {
      if (polygon.length < 3) return;
      draw("polygon", { points: outline(polygon), class: `cell ${clusterClass(j)}` }, layers.cells);
    });
    for (const [from, to] of borders(centroids, layout.bounds)) {
      const [[x1, y1], [x2, y2]] = [layout.at(from), layout.at(to)];
      draw("line", { x1, y1, x2, y2, class: "border" }, layers.cells);
    }
  }

  function drawSpokes({ points, labels, centroids, chosen, spokes, rulers = true }) {
    layers.spokes.replaceChildren();
    if (!centroids) return;
    const line = (from, to, name) => {
      const [[x1, y1], [x2, y2]] = [layout.at(from), layout.at(to)];
      draw("line", { x1, y1, x2, y2, class: name }, layers.spokes);
    };
    if (spokes && labels) {
      points.forEach((point, i) => line(point, centroids[labels[i]], `spoke ${clusterClass(labels[i])}`));
    }
    if (!rulers || chosen == null || !points[chosen]) return;
    // With many centroids only the two nearest are told apart.
    const near = centroids.map((c, j) => [sqDist(points[chosen], c), j]).sort((a, b) => a[0] - b[0]);
    const drawn = new Set(near.slice(0, centroids.length > MOST_RULERS ? 2 : centroids.length).map(([, j]) => j));
    centroids.forEach((centroid, j) => {
      if (drawn.has(j) || labels?.[chosen] === j) line(points[chosen], centroid, `ruler ${clusterClass(j)}${labels?.[chosen] === j ? " own" : ""}`);
    });
  }

  function drawArrows({ centroids, ghosts }) {
    layers.arrows.replaceChildren();
    if (!ghosts) return;
    centroids.forEach((centroid, j) => {
      const [from, to] = [layout.at(ghosts[j]), layout.at(centroid)];
      const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
      if (length < 1) return;
      const group = draw("g", { class: `arrow ${clusterClass(j)}` }, layers.arrows);
      const ghost = draw("path", { d: markPath(j), class: "ghost", transform: `scale(${options.centroidRadius})` });
      const holder = draw("g", { transform: `translate(${from})` }, group);
      holder.append(ghost);
      // The arrow ends at the edge of the centroid's mark.
      const reach = Math.max(length - options.centroidRadius - 4, length / 2);
      const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
      const tip = [from[0] + ux * reach, from[1] + uy * reach];
      draw("line", { x1: from[0], y1: from[1], x2: tip[0] - ux * 6, y2: tip[1] - uy * 6 }, group);
      const turn = (Math.atan2(uy, ux) * 180) / Math.PI;
      draw("path", { d: "M0 0L-11 5L-11 -5Z", transform: `translate(${tip}) rotate(${turn})` }, group);
    });
  }

  return { svg, show, setLayout, layers, at: (p) => layout.at(p), back: (x, y) => layout.back(x, y), dot: (i) => dots[i], centroid: (j) => centroidNodes[j] };
}

// What a frame of the run looks like.
function viewOf(frame, chosen = null) {
  const before = frames[frame.index - 1];
  return {
    points: screenPoints,
    labels: frame.labels,
    centroids: frame.centroids?.map(project) ?? null,
    ghosts: frame.kind === "update" ? before.centroids.map(project) : null,
    changed: frame.kind === "assign" && frame.was ? frame.changed : null,
    drawn: frame.kind === "start" ? new Set(run.origin.drawn) : null,
    shaded: !isPicture && K > 1 && (frame.kind === "assign" || frame.kind === "stop"),
    spokes: frame.kind === "assign" || frame.kind === "update" || (isPicture && frame.kind === "stop"),
    chosen,
    names: (i) => pointName(frame, i),
  };
}

function pointName(frame, i) {
  const label = frame.labels?.[i];
  const change = frame.kind === "assign" && frame.was && frame.changed.has(i);
  return (
    `Point ${i + 1} at ${rowText(run.points[i])}` +
    (label == null ? "" : `, cluster ${LETTERS[label]}`) +
    (change ? `, was ${LETTERS[frame.was[i]]}` : "")
  );
}
