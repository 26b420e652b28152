// The numbers beside the picture: distances of a point, sums and means, why the run stops.

// Beyond these sizes a formula in full would be longer than the screen.
const MOST_TERMS = 3;
const MOST_FRACTIONS = 4;

const cell = (content, attributes = {}) => make("td", attributes, content);
const head = (content, attributes = {}) => make("th", { scope: "col", ...attributes }, content);

// Squared distances of one point to every centroid, term by term where there is room.
function distanceRows(frame, i) {
  const own = frame.labels?.[i];
  const texts = squares(distances(frame, i));
  return frame.centroids.map((centroid, j) => {
    const row = make("tr", { class: j === own ? "own" : null });
    row.append(make("th", { scope: "row" }, chip(j)));
    if (run.columns.length <= MOST_TERMS) {
      const terms = centroid.map((c, f) => `(${values[f](run.points[i][f])} ${MINUS} ${values[f](c)})²`);
      row.append(cell(terms.join(" + "), { class: "terms" }));
    }
    row.append(cell(texts[j], { class: "number", "data-sq-distance": j }));
    row.append(cell(j === own ? "nearest" : "", { class: "verdict" }));
    return row;
  });
}

function distancePanel(frame, i) {
  return [
    make("p.lead", {}, `Point ${i + 1} at ${rowText(run.points[i])}`),
    make("div.scroll", { tabindex: "0", role: "group", "aria-label": "Squared distances" },
      make("table.distances", {},
        make("caption.hidden", {}, `Squared distances of point ${i + 1}`),
        make("thead.hidden", {}, make("tr", {}, head("to"), run.columns.length <= MOST_TERMS ? head("terms") : null, head("d²"), head("verdict"))),
        make("tbody", {}, distanceRows(frame, i)))),
    historyOf(i, frame),
  ];
}

// A point's squared distances and cluster in every round up to now.
function historyOf(i, frame) {
  const rounds = assigns.filter((one) => one.index <= frame.index);
  if (rounds.length < 2) return null;
  const body = rounds.map((one, r) => {
    const label = one.labels[i];
    const changed = r > 0 && rounds[r - 1].labels[i] !== label;
    return make("tr", { class: changed ? "changed" : null },
      make("th", { scope: "row" }, one.name === "final-assign" ? "end" : String(one.round)),
      squares(distances(one, i)).map((text, j) => cell(text, { class: j === label ? "number least" : "number" })),
      cell([chip(label), changed ? " new" : ""]));
  });
  return make("div.scroll", { tabindex: "0", role: "group", "aria-label": `Point ${i + 1} by round` },
    make("table.rounds", {},
      make("caption", {}, "By round"),
      make("thead", {}, make("tr", {}, head("round"), [...Array(K)].map((_, j) => head(["d² to ", LETTERS[j]])), head("cluster", { class: "left" }))),
      make("tbody", {}, body)));
}

const fraction = (top, bottom) =>
  make("span.fraction", {}, make("span.top", {}, top), make("span.hidden", {}, " divided by "), make("span.bottom", {}, bottom));

// The division behind every new centroid.
function updatePanel(frame) {
  const { sums, counts, travel } = frame.update;
  if (K <= MOST_FRACTIONS && run.columns.length <= MOST_TERMS) {
    return sums.map((sum, j) =>
      make("div.mean", { "data-cluster": j },
        make("p.lead", {}, chip(j), ` mean of ${plural(counts[j], "point")}`, make("span.travel", {}, `moved ${length(travel[j])}`)),
        sum.map((total, f) =>
          make("p.division", {}, make("span.name", {}, run.columns[f]), " = ",
            counts[j] ? fraction(values[f](total), String(counts[j])) : "stays", " = ",
            make("strong", {}, values[f](frame.centroids[j][f]))))));
  }
  const columns = run.columns.flatMap((name) => [head(["Σ ", name]), head(["mean ", name])]);
  return make("div.scroll", { tabindex: "0", role: "group", "aria-label": "Sums and means" },
    make("table", {},
      make("caption.hidden", {}, "Sums and means of the clusters"),
      make("thead", {}, make("tr", {}, head("cluster"), head("n"), columns, head("moved"))),
      make("tbody", {}, sums.map((sum, j) =>
        make("tr", { "data-cluster": j }, make("th", { scope: "row" }, chip(j)), cell(String(counts[j]), { class: "number" }),
          sum.flatMap((total, f) => [
            cell(values[f](total), { class: "number" }),
            cell(values[f](frame.centroids[j][f]), { class: "number least" }),
          ]),
          cell(length(travel[j]), { class: "number" }))))));
}

// Where the centroids are, with the point each was drawn at or the size of its cluster.
function centroidList(frame) {
  const sizes = frame.labels && sizesOf(frame.labels, K);
  const drawn = run.origin.drawn;
  const note = (j) => (sizes ? plural(sizes[j], "point") : drawn.length ? `point ${drawn[j] + 1}` : "");
  return make("ul.plain", {}, frame.centroids.map((centroid, j) =>
    make("li", { "data-cluster": j }, chip(j), ` ${rowText(centroid)}`, make("span.travel", {}, note(j)))));
}

function stopPanel(frame) {
  const last = assigns.at(-1);
  const moved = frames.filter((one) => one.kind === "update" && one.round === run.nIter)[0];
  const tick = (met, text) => make("li", { class: met ? "met" : "unmet" }, make("span", { "aria-hidden": "true" }, met ? "✓" : "✕"), make("span.hidden", {}, met ? "met: " : "not met: "), text);
  const shift = moved ? Math.max(...moved.update.travel) : 0;
  const allowed = run.origin.maxIter;
  return [
    make("ul.ticks", {},
      tick(!last.changed.size || assigns.length === 1, assigns.length === 1 ? "labels: nothing left to change" : `labels changed: ${last.changed.size} of ${N}`),
      tick(run.converged, `farthest move of a centroid: ${length(shift)}`),
      tick(run.converged, `rounds: ${run.nIter}${allowed ? ` of at most ${allowed}` : ""}`)),
    centroidList(frame),
  ];
}

// The squared distances of every point in this frame, as a table.
function frameTable(frame) {
  const hasDistances = frame.centroids !== null;
  const rows = run.points.map((point, i) => {
    const label = frame.labels?.[i];
    const changed = frame.kind === "assign" && frame.was && frame.changed.has(i);
    return make("tr", { class: changed ? "changed" : null, "data-point": i },
      make("th", { scope: "row" }, String(i + 1)),
      point.map((x, f) => cell(values[f](x), { class: "number" })),
      hasDistances ? squares(distances(frame, i)).map((text, j) => cell(text, { class: j === label ? "number least" : "number" })) : null,
      label == null ? null : cell(chip(label)),
      label == null ? null : cell(changed ? `was ${LETTERS[frame.was[i]]}` : ""));
  });
  return make("table", {},
    make("caption.hidden", {}, `All points, ${frame.title}`),
    make("thead", {}, make("tr", {}, head("point"), run.columns.map((name) => head(name)),
      hasDistances ? [...Array(K)].map((_, j) => head(`d² to ${LETTERS[j]}`)) : null,
      frame.labels ? [head("cluster", { class: "left" }), head("change", { class: "left" })] : null)),
    make("tbody", {}, rows));
}
