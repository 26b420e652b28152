// A sheet to fill in by hand: one round with blanks, and the same with the answers.

function buildWorksheet() {
  const round = Number(el("sheet-round").value) || 1;
  const frame = assigns[round - 1];
  const update = frames[frame.index + 1]?.kind === "update" ? frames[frame.index + 1] : null;
  const answer = (text) => make("span.answer", {}, text);
  const letters = [...LETTERS].slice(0, K);
  const points = run.points.map((point, i) =>
    make("tr", {}, make("th", { scope: "row" }, String(i + 1)), point.map((x, f) => cell(values[f](x), { class: "number" })),
      squares(distances(frame, i)).map((text) => cell(answer(text), { class: "number blank" })),
      cell(answer(LETTERS[frame.labels[i]]), { class: "blank" })));
  const means = letters.map((letter, j) => {
    const { sums, counts } = update?.update ?? { sums: null, counts: sizesOf(frame.labels, K) };
    const next = update ? update.centroids[j] : frame.centroids[j];
    return make("tr", {}, make("th", { scope: "row" }, letter),
      cell(answer(String(counts[j])), { class: "number blank" }),
      run.columns.flatMap((_, f) => [
        cell(answer(sums ? values[f](sums[j][f]) : "as before"), { class: "number blank" }),
        cell(answer(values[f](next[f])), { class: "number blank" }),
      ]));
  });
  el("sheet").replaceChildren(
    make("p.name-line", {}, "Name ", make("span"), " Date ", make("span")),
    make("p", {}, `Round ${round}. The centroids are ${frame.centroids.map((c, j) => `${LETTERS[j]} ${rowText(c)}`).join(", ")}.`),
    make("h3", {}, "1. Assign"),
    make("p", {}, "Write down each point's squared distance to every centroid, d² = ", run.columns.length <= 3 ? run.columns.map((name, f) => [f ? " + " : "", `(${name} ${MINUS} ${name} of the centroid)²`]).flat() : "the squared differences of all columns, added up", ". Its cluster is the nearest centroid; of two at the same distance, the first."),
    make("div.scroll", { tabindex: "0", role: "group", "aria-label": "Points to assign" }, make("table", {}, make("caption.hidden", {}, "Points to assign"),
      make("thead", {}, make("tr", {}, head("point"), run.columns.map((name) => head(name)), letters.map((letter) => head(`d² to ${letter}`)), head("cluster", { class: "left" }))),
      make("tbody", {}, points))),
    make("p", {}, "The objective J, the sum of the squared distances to the own centroid: ", make("span.blank.line", {}, answer(square(frame.inertia)))),
    make("h3", {}, "2. Update"),
    make("p", {}, "Add up the points of each cluster, and divide by their number. These means are the new centroids."),
    make("div.scroll", { tabindex: "0", role: "group", "aria-label": "Means to compute" }, make("table", {}, make("caption.hidden", {}, "Means to compute"),
      make("thead", {}, make("tr", {}, head("cluster"), head("points"), run.columns.flatMap((name) => [head(`Σ ${name}`), head(`mean ${name}`)]))),
      make("tbody", {}, means))),
    make("h3", {}, "3. Ask"),
    make("ol", {}, make("li", {}, "Which points will change their cluster in the next round? Why those?"),
      make("li", {}, "Why can neither step make J larger?"),
      make("li", {}, "How will you know that you are done?")));
}
