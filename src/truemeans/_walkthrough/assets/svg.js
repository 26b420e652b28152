// Elements, and the marks of the clusters: a shape, a colour and a letter each.

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes = {}, parent = null) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent?.append(node);
  return node;
}

// An element from a tag with classes ("p.note"), its attributes and its contents.
function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

// A polygon through points given as angle (in turns, clockwise from the top) and radius.
const ring = (corners) =>
  corners
    .map(([turn, radius], i) => {
      const angle = 2 * Math.PI * turn;
      const [x, y] = [radius * Math.sin(angle), -radius * Math.cos(angle)];
      return `${i ? "L" : "M"}${x.toFixed(3)} ${y.toFixed(3)}`;
    })
    .join("") + "Z";
const regular = (n, radius, turn = 0) => ring([...Array(n)].map((_, i) => [turn + i / n, radius]));
const star = (n, outer, inner) =>
  ring([...Array(2 * n)].map((_, i) => [i / (2 * n), i % 2 ? inner : outer]));
const CIRCLE = "M0-1A1 1 0 1 1 0 1A1 1 0 1 1 0-1Z";
const PLUS = "M-.5-1.15H.5V-.5H1.15V.5H.5V1.15H-.5V.5H-1.15V-.5H-.5Z";

// Outlines of about the same area, for a radius of 1.
const SHAPES = [
  CIRCLE,
  regular(4, 1.25, 1 / 8),
  regular(3, 1.4),
  regular(4, 1.3),
  regular(3, 1.4, 1 / 2),
  PLUS,
  star(5, 1.4, 0.72),
  regular(6, 1.12),
  star(4, 1.45, 0.66),
  regular(5, 1.18),
  regular(3, 1.4, 1 / 4),
  regular(3, 1.4, 3 / 4),
];

// The path of a mark of cluster j, or of a point without a cluster, and its letter's place.
const markPath = (label) => (label == null || label < 0 ? CIRCLE : SHAPES[label]);
const clusterClass = (label) => (label == null || label < 0 ? "no-cluster" : `cluster-${label}`);
const LETTER_DY = { 2: 0.18, 4: -0.16 };

// A small mark with its letter beside it, for texts and tables.
function chip(label, { letter = true } = {}) {
  const node = make("span.chip");
  const svg = draw("svg", { viewBox: "-1.5 -1.5 3 3", "aria-hidden": "true" }, node);
  draw("path", { d: markPath(label), class: `mark ${clusterClass(label)}` }, svg);
  if (letter) node.append(LETTERS[label]);
  return node;
}

// A centroid: a large mark with its letter inside.
function drawCentroid(parent, j, radius) {
  const group = draw("g", { class: `centroid ${clusterClass(j)}` }, parent);
  draw("path", { d: markPath(j), class: "halo", transform: `scale(${radius + 2.5})` }, group);
  draw("path", { d: markPath(j), class: "mark", transform: `scale(${radius})` }, group);
  const text = draw("text", { class: "letter", "font-size": radius * 1.05 }, group);
  text.setAttribute("y", radius * (0.37 + (LETTER_DY[j] ?? 0)));
  text.textContent = LETTERS[j];
  return group;
}

const place = (node, [x, y]) => {
  node.style.transform = `translate(${x.toFixed(2)}px, ${y.toFixed(2)}px)`;
};
