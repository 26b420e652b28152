// Tabs, theme, keys and addresses.

const player = makePlayer();
const sandbox = makeSandbox();
const TABS = ["walk", "sandbox", "all-frames", "worksheet"];
let tab = "walk";

function openTab(name, { address = true } = {}) {
  tab = name;
  document.body.dataset.tab = name;
  for (const other of TABS) {
    const button = el(`tab-${other}`);
    const open = other === name;
    button.setAttribute("aria-selected", open);
    button.tabIndex = open ? 0 : -1;
    el(other === "walk" ? "panel-walk" : `panel-${other}`).hidden = !open;
  }
  if (name !== "walk") player.pause();
  if (name === "walk") player.resize();
  if (name === "sandbox") {
    if (!sandbox.state.points.length) sandbox.load("run");
    sandbox.resize();
  }
  if (name === "all-frames") buildStrip(el("strip"));
  if (name === "worksheet") buildWorksheet();
  if (address) history.replaceState(null, "", name === "walk" ? `#${frames[player.index].name}` : `#${name}`);
}

// The address names a frame, or a tab.
function follow() {
  const name = decodeURIComponent(location.hash.slice(1));
  if (TABS.includes(name) && name !== "walk") openTab(name, { address: false });
  else {
    openTab("walk", { address: false });
    player.show(frameNamed(name) ? name : frames[0].name);
  }
}

const THEMES = ["auto", "light", "dark"];
function nextTheme() {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
  root.dataset.theme = next;
  el("theme").setAttribute("aria-label", `Colours: ${next}`);
  el("theme-name").textContent = next;
}

for (const name of TABS) {
  const button = el(`tab-${name}`);
  button.onclick = () => openTab(name);
  button.onkeydown = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(name) + by + TABS.length) % TABS.length];
    openTab(next);
    el(`tab-${next}`).focus();
  };
}
el("theme").onclick = nextTheme;
for (const button of document.querySelectorAll(".print")) button.onclick = () => print();
el("sheet-answers").onchange = () => el("sheet").classList.toggle("answers", el("sheet-answers").checked);
el("sheet-round").append(...assigns.map((_, r) => make("option", { value: r + 1 }, `Round ${r + 1}`)));
el("sheet-round").onchange = buildWorksheet;

addEventListener("keydown", (event) => tab === "walk" && player.key(event));
addEventListener("hashchange", follow);
addEventListener("beforeprint", () => tab !== "worksheet" && buildStrip(el("strip")));
addEventListener("resize", () => (tab === "walk" ? player.resize() : tab === "sandbox" && sandbox.resize()));

follow();
document.body.classList.add("ready");

// For the curious, and for the tests.
window.truemeans = { run, frames, lloyd, sqDist, formatter, distances, sandbox: sandbox.state };
