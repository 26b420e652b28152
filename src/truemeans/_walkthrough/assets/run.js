// The recorded run as the page was given it, and what follows from it without any choice.

const run = JSON.parse(document.getElementById("recording").textContent);
const N = run.points.length;
const K = run.k;
const isPicture = run.plane.kind === "axes";
const values = run.styles.values.map(formatter);
const length = formatter(run.styles.length);
const square = formatter(run.styles.square);

// Where a row or a centroid is drawn.
const project = (row) =>
  run.plane.axes.map((axis) =>
    axis.reduce((sum, weight, f) => sum + weight * (row[f] - run.plane.origin[f]), 0),
  );
const screenPoints = run.points.map(project);

// Frames say only what is new in them; the rest is as in the frame before.
const frames = [];
for (const told of run.frames) {
  const before = frames.at(-1);
  const frame = { centroids: before?.centroids ?? null, ...told, index: frames.length };
  frame.labels = before?.labels?.slice() ?? null;
  if (told.labels) {
    frame.labels ??= Array(N);
    [...told.labels].forEach((sign, at) => {
      frame.labels[told.rows ? told.rows[at] : at] = LETTERS.indexOf(sign);
    });
  }
  // What the labels are compared with: an assignment with the one before it, whatever an update
  // did to refill an empty cluster.
  frame.was = frame.kind === "assign" ? (frames.findLast((one) => one.kind === "assign")?.labels ?? null) : before?.labels;
  frame.changed = new Set();
  frame.labels?.forEach((label, i) => {
    if (label !== frame.was?.[i]) frame.changed.add(i);
  });
  frames.push(frame);
}
const frameNamed = (name) => frames.find((frame) => frame.name === name);
const assigns = frames.filter((frame) => frame.kind === "assign");

const distances = (frame, i) => frame.centroids.map((centroid) => sqDist(run.points[i], centroid));
// The squared distances of one point, with as many digits as tell the two least apart.
function squares(list) {
  const [first, second] = [...list].sort((a, b) => a - b);
  let { fixed, digits } = run.styles.square;
  const equal = (write) => second !== undefined && first !== second && write(first) === write(second);
  while (equal(formatter({ fixed, digits })) && digits < 16) digits += 1;
  return list.map(formatter({ fixed, digits }));
}

const rowText = (row) => `(${row.map((x, f) => values[f](x)).join(", ")})`;
// A place on the screen, in the numbers of the axes.
const placeText = (place) => `(${place.map((x, f) => (isPicture ? length : (values[f] ?? length))(x)).join(", ")})`;

// The point a frame is best explained with: one that changes sides, or stands closest to doing so.
function spotlight(frame) {
  if (!frame.centroids || K < 2) return 0;
  const rows = frame.kind === "assign" && frame.was && frame.changed.size
    ? [...frame.changed]
    : run.points.map((_, i) => i);
  let best = rows[0];
  let least = Infinity;
  for (const i of rows) {
    const [first, second] = distances(frame, i).sort((a, b) => a - b);
    const gap = second - first;
    if (gap < least) [best, least] = [i, gap];
  }
  return best;
}
