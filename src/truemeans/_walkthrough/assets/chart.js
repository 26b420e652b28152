// The falling objective, half-step by half-step, and the labels of all points by round.

const steps = frames.filter((frame) => frame.inertia != null && frame.kind !== "stop");

function drawChart(svg, index) {
  const width = svg.parentElement.clientWidth || 400;
  const height = 178;
  const margin = { left: 10, right: 14, top: 30, bottom: 24 };
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  if (!steps.length) return;
  const top = Math.max(...steps.map((step) => step.inertia)) || 1;
  const x = (i) => margin.left + ((i + 0.5) / steps.length) * (width - margin.left - margin.right);
  const y = (J) => height - margin.bottom - (J / top) * (height - margin.top - margin.bottom);
  const known = steps.filter((step) => step.index <= index);
  const half = (x(1) - x(0)) / 2;
  svg.classList.toggle("dense", steps.length > 40);
  draw("line", { x1: margin.left, x2: width - margin.right, y1: y(0), y2: y(0), class: "base" }, svg);
  if (known.length) {
    let path = `M${margin.left} ${y(known[0].inertia)}`;
    known.forEach((step, i) => {
      path += `V${y(step.inertia)}H${x(i) + half}`;
    });
    draw("path", { d: `${path}V${y(0)}H${margin.left}Z`, class: "area" }, svg);
    draw("path", { d: path, class: "stair" }, svg);
  }
  steps.forEach((step, i) => {
    const shown = step.index <= index;
    const at = shown ? y(step.inertia) : y(0);
    const group = draw("g", { class: `step ${step.kind} ${shown ? "known" : "ahead"}`, transform: `translate(${x(i)} ${at})` }, svg);
    const r = Math.min(4.5, Math.max(1.2, half * 0.8));
    if (step.kind === "assign") draw("circle", { r }, group);
    else draw("rect", { x: -r, y: -r, width: 2 * r, height: 2 * r }, group);
    const title = draw("title", {}, group);
    title.textContent = `${step.title}: ${shown ? square(step.inertia) : "still to come"}`;
    if (step.kind === "assign" && (steps.length < 40 || step.round % 5 === 1)) {
      const text = draw("text", { x: x(i) + (half || 0), y: height - 7, "text-anchor": "middle", class: "tick" }, svg);
      text.textContent = step.name === "final-assign" ? "end" : step.round;
    }
  });
  const now = known.at(-1);
  if (now) {
    const at = known.length - 1;
    const end = at > steps.length * 0.7;
    const text = draw("text", { x: x(at) + (end ? 4 : -4), y: y(now.inertia) - 11, "text-anchor": end ? "end" : "start", class: "now" }, svg);
    text.textContent = `J = ${square(now.inertia)}`;
  }
}

// How much each cluster adds to the objective, as one bar.
function partsBar(frame) {
  if (!frame.parts || K < 2) return [];
  const total = frame.parts.reduce((a, b) => a + b, 0) || 1;
  return [
    make("div.bar", { "aria-hidden": "true" }, frame.parts.map((part, j) => {
      const piece = make(`span.piece.${clusterClass(j)}`);
      piece.style.flexGrow = part / total;
      return piece;
    })),
    make("ul.legend", {}, frame.parts.map((part, j) => make("li", { "data-part": j }, chip(j), ` ${square(part)}`))),
  ];
}

// A cell for each point and round: who belonged where, and who changed.
function drawHistory(holder, index, choose) {
  const rounds = assigns.filter((frame) => frame.index <= index);
  const left = 34;
  const wide = Math.max(7, Math.min(40, (holder.clientWidth - left - 6) / N));
  const high = Math.max(13, Math.min(wide, 26));
  const bottom = high * rounds.length;
  const svg = draw("svg", { width: wide * N + left, height: bottom + 18, role: "img" });
  const changes = rounds.slice(1).map((frame) => frame.changed.size).join(", ") || "none yet";
  svg.setAttribute("aria-label", `Clusters of all points by round; the table has the same. Changes: ${changes}.`);
  const write = (text, attributes, parent) => {
    draw("text", attributes, parent).textContent = text;
  };
  rounds.forEach((frame, r) => {
    const name = frame.name === "final-assign" ? "end" : frame.round;
    write(name, { x: left - 6, y: r * high + high / 2 + 4, "text-anchor": "end", class: "tick" }, svg);
    frame.labels.forEach((label, i) => {
      const changed = r > 0 && rounds[r - 1].labels[i] !== label;
      const name = `square ${clusterClass(label)}${changed ? " changed" : ""}`;
      const group = draw("g", { class: name, transform: `translate(${left + i * wide} ${r * high})` }, svg);
      draw("rect", { x: 1, y: 1, width: wide - 2, height: high - 2, rx: Math.min(4, wide / 5) }, group);
      if (wide >= 13) write(LETTERS[label], { x: wide / 2, y: high / 2 + 4, "text-anchor": "middle" }, group);
      group.addEventListener("click", () => choose(i));
    });
  });
  const every = wide >= 18 ? 1 : wide >= 9 ? 5 : 10;
  for (let i = 0; i < N; i++) {
    if (i && (i + 1) % every) continue;
    write(i + 1, { x: left + (i + 0.5) * wide, y: bottom + 13, "text-anchor": "middle", class: "tick" }, svg);
  }
  holder.replaceChildren(svg);
}
