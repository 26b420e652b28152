// From data to the screen, and the cells of the centroids.

// The part of a convex polygon where centroid j is nearer than centroid k. Of two centroids at
// one place, the first takes everything.
function clipped(polygon, a, b, first) {
  const side = (p) => sqDist(p, b) - sqDist(p, a);
  if (!lexicographic(a, b)) return first ? polygon : [];
  const kept = [];
  polygon.forEach((p, i) => {
    const q = polygon[(i + 1) % polygon.length];
    const [sp, sq] = [side(p), side(q)];
    if (sp >= 0) kept.push(p);
    if (sp > 0 !== sq > 0 && sp !== sq) {
      const t = sp / (sp - sq);
      if (t > 0 && t < 1) kept.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
    }
  });
  return kept;
}

// The Voronoi cell of every centroid within a rectangle [[left, bottom], [right, top]].
function cells(centroids, [[left, bottom], [right, top]]) {
  const frame = [[left, bottom], [right, bottom], [right, top], [left, top]];
  return centroids.map((own, j) =>
    centroids.reduce(
      (polygon, other, k) => (k === j ? polygon : clipped(polygon, own, other, j < k)),
      frame,
    ),
  );
}

// The lines between the cells, where two centroids are equally near; each line once.
function borders(centroids, bounds) {
  const onEdge = (p, q) => [0, 1].some((f) => p[f] === q[f] && bounds.some((end) => end[f] === p[f]));
  const lines = [];
  cells(centroids, bounds).forEach((polygon, j) => {
    polygon.forEach((p, i) => {
      const q = polygon[(i + 1) % polygon.length];
      if (onEdge(p, q)) return;
      const middle = [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
      const others = centroids.map((c, k) => [k === j ? Infinity : sqDist(middle, c), k]);
      if (others.sort((a, b) => a[0] - b[0])[0][1] > j) lines.push([p, q]);
    });
  });
  return lines;
}

// Beyond this ratio of the ranges a picture to scale would be a thin line.
const MOST_STRETCH = 6;

// How data are laid out on width × height pixels: to scale where that leaves something to see.
function layOut(points, width, height, margin) {
  const range = [0, 1].map((f) => {
    const values = points.map((p) => p[f]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = high > low ? (high - low) * 0.07 : 0;
    return [low - room, high + room];
  });
  const inner = [width - margin.left - margin.right, height - margin.top - margin.bottom];
  let [w, h] = range.map(([low, high]) => high - low);
  if (!w && !h) w = Math.max(Math.abs(range[0][0]), 1) * 0.1;
  const toScale = !w || !h || (w / h < MOST_STRETCH && h / w < MOST_STRETCH);
  const unit = toScale ? Math.max(w / inner[0], h / inner[1]) : 0;
  const spans = inner.map((size, f) => (toScale ? unit * size : [w, h][f]));
  const lows = range.map(([low, high], f) => (low + high) / 2 - spans[f] / 2);
  const x = (value) => margin.left + ((value - lows[0]) / spans[0]) * inner[0];
  const y = (value) => height - margin.bottom - ((value - lows[1]) / spans[1]) * inner[1];
  return {
    width, height, margin, toScale, x, y,
    at: (p) => [x(p[0]), y(p[1])],
    back: (px, py) => [
      lows[0] + ((px - margin.left) / inner[0]) * spans[0],
      lows[1] + ((height - margin.bottom - py) / inner[1]) * spans[1],
    ],
    bounds: [lows, lows.map((low, f) => low + spans[f])],
  };
}

// Round numbers between two ends, about `count` of them, with the digits that tell them apart.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? power * 10;
  const top = Math.max(Math.abs(low), Math.abs(high));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const fixed = digits <= 8 && top < 1e7;
  const write = formatter({ fixed, digits: fixed ? digits : Math.min(15, Math.ceil(Math.log10(top / step))) });
  const marks = [];
  for (let i = Math.ceil(low / step); i * step <= high && marks.length < 50; i++) marks.push(i * step);
  return marks.map((value) => ({ value, text: write(value) }));
}

const across = (layout) => ticks(layout.bounds[0][0], layout.bounds[1][0], Math.max(3, Math.min(8, layout.width / 60)));
const upwards = (layout) => ticks(layout.bounds[0][1], layout.bounds[1][1], layout.height / 70);

// A layout with room for the numbers of its axes.
function layOutWithAxes(points, width, height) {
  const margin = { left: 34, right: 16, top: 22, bottom: 38 };
  const first = layOut(points, width, height, margin);
  const longest = Math.max(...upwards(first).map((tick) => tick.text.length));
  return layOut(points, width, height, { ...margin, left: Math.max(34, 7.5 * longest + 14) });
}
