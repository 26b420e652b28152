// All frames at once, as a comic strip: to look over, and to print.

// A longer run is told by its beginning and its end.
const MOST_PANELS = 48;

function stripFrames() {
  if (frames.length <= MOST_PANELS) return [frames, []];
  return [frames.slice(0, MOST_PANELS / 2), frames.slice(-MOST_PANELS / 2)];
}

function makePanel(frame) {
  const svg = draw("svg", { role: "img", "aria-label": `${frame.title}: picture` });
  const plot = makePlot(svg, {
    pointRadius: N <= 60 ? 6 : N <= 250 ? 4 : 2.8, centroidRadius: 12, axes: null,
  });
  plot.setLayout(layOut(screenPoints, 360, 270, { left: 8, right: 8, top: 8, bottom: 8 }));
  plot.show({ ...viewOf(frame), chosen: null });
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  const sums = frame.kind === "update" && K * run.columns.length <= 6
    ? make("p.sums", {}, frame.update.sums.map((sum, j) =>
        make("span", {}, chip(j), ` ${rowText(sum)} ÷ ${frame.update.counts[j]} = ${rowText(frame.centroids[j])}`)))
    : null;
  return make("article.panel", { "data-panel": frame.name },
    make("h3", {}, make("a", { href: `#${frame.name}` }, frame.title)), svg,
    make("p", {}, frame.text), sums);
}

function buildStrip(holder) {
  if (holder.childElementCount) return;
  const [head, tail] = stripFrames();
  holder.append(...head.map(makePanel));
  if (tail.length) {
    const left = frames.length - head.length - tail.length;
    holder.append(make("p.cut", {}, `… ${left} frames are left out here …`), ...tail.map(makePanel));
  }
}
