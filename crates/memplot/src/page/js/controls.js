// Buttons, filters, keys and the pointer.

// Everything that can be chosen by a control, put in and taken out of it.
function controls() {
  const models = [...new Set(tests.map((test) => test.model).filter(Boolean))].sort();
  const outcomes = [...new Set(tests.map((test) => test.outcome))];
  at("model").append(...models.map((name) => element("option", name, { value: name })));
  at("outcome").append(...outcomes.map((name) => element("option", name, { value: name })));
  at("filters").hidden = tests.length === 0;
  at("clock").closest("label").hidden = compared;
  curveBoxes();
  const filter = () => {
    Object.assign(chosen, { text: at("text").value, model: at("model").value, outcome: at("outcome").value, infra: at("infra").checked });
    changed({ table: true });
  };
  for (const id of ["text", "model", "outcome", "infra"]) at(id).addEventListener("input", filter);
  at("clock").addEventListener("input", () => changed(Object.assign(chosen, { clock: at("clock").checked ? "wall" : "elapsed" })));
  at("theme").addEventListener("input", () => changed(Object.assign(chosen, { theme: at("theme").value })));
  at("palette").addEventListener("input", () => changed(Object.assign(chosen, { palette: at("palette").checked ? "reference" : "" })));
  const actions = { all: fit, in: () => zoom(0.5), out: () => zoom(2), left: () => pan(-0.25), right: () => pan(0.25) };
  for (const [id, act] of Object.entries(actions)) at(id).addEventListener("click", act);
  at("help").addEventListener("click", () => at("keys").showModal());
  at("previous").addEventListener("click", () => fillTable(first - PAGE));
  at("next").addEventListener("click", () => fillTable(first + PAGE));
  putChosen();
  addEventListener("hashchange", () => {
    if (location.hash === written) return;
    readHash();
    putChosen();
    changed({ table: true });
  });
}

// A box for each curve: what the legends do, for the keyboard.
function curveBoxes() {
  const seen = new Set();
  for (const row of data.views.flatMap((view) => view.rows)) {
    for (const curve of row.curves) {
      const key = curveKey(curve);
      if (seen.has(key)) continue;
      seen.add(key);
      const box = element("input", undefined, { type: "checkbox", value: key });
      const label = element("label");
      label.append(box, ` ${row.prefix || `${row.title} `}${curve.name}`);
      box.addEventListener("input", () => toggleCurve(key));
      at("curves").querySelector("div").append(label);
    }
  }
  at("curves").hidden = seen.size === 0;
}

function toggleCurve(key) {
  const all = data.views.flatMap((view) => view.rows).flatMap((row) => row.curves);
  chosen.hidden ??= new Set(all.filter(isHidden).map(curveKey));
  if (!chosen.hidden.delete(key)) chosen.hidden.add(key);
  putChosen();
  changed();
}

function putChosen() {
  for (const id of ["text", "model", "outcome", "theme"]) at(id).value = chosen[id];
  at("infra").checked = chosen.infra;
  at("clock").checked = chosen.clock === "wall";
  at("palette").checked = chosen.palette === "reference";
  const curves = new Map(data.views.flatMap((view) => view.rows).flatMap((row) => row.curves).map((curve) => [curveKey(curve), curve]));
  for (const box of at("curves").querySelectorAll("input")) box.checked = !isHidden(curves.get(box.value));
}

// Something was chosen: the page follows.
function changed({ table = false } = {}) {
  root.dataset.theme = chosen.theme;
  root.dataset.palette = chosen.palette;
  writeHash();
  if (table) fillTable();
  paintStrip();
  return drawn ? draw() : undefined;
}

function fit() {
  chosen.test = null;
  at("rows").querySelector("tr[aria-selected]")?.removeAttribute("aria-selected");
  return show(whole);
}

// Shows `by` times as much, around a point that stays where it is.
function zoom(by, around = (chosen.range[0] + chosen.range[1]) / 2) {
  const [from, to] = chosen.range;
  return show([around - (around - from) * by, around + (to - around) * by]);
}

function pan(by) {
  const [from, to] = chosen.range;
  const width = to - from;
  return show([from + by * width, to + by * width]);
}

// As in Perfetto.
const KEYS = {
  w: () => zoom(0.6), s: () => zoom(1 / 0.6), a: () => pan(-0.25), d: () => pan(0.25),
  ".": () => step(1), ",": () => step(-1), f: fit, "?": () => at("keys").showModal(),
};

function keys() {
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]):not([type=range]), select, textarea, dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = KEYS[event.key.toLowerCase()];
    if (!act || !drawn) return;
    event.preventDefault();
    act();
  });
}

// The last press of the button became a drag, and is no click.
let dragged = false;

// Drag across to zoom, with shift to move; Ctrl and the wheel to zoom; double click for all.
function pointer() {
  const share = (event) => {
    const { l } = margins();
    return Math.min(Math.max((event.clientX - plot.getBoundingClientRect().left - l) / axisWidth(), 0), 1);
  };
  const time = (event) => chosen.range[0] + share(event) * (chosen.range[1] - chosen.range[0]);
  const box = at("selection");
  plot.addEventListener("pointerdown", (down) => {
    // A finger scrolls the page; the strip below zooms.
    if (down.button !== 0 || down.pointerType === "touch" || !down.target.closest(".draglayer")) return;
    const [start, range, began] = [time(down), [...chosen.range], share(down)];
    let moved = dragged = false;
    const move = (event) => {
      if (!moved && Math.abs(event.clientX - down.clientX) < 5) return;
      moved = dragged = true;
      if (down.shiftKey) {
        const by = (began - share(event)) * (range[1] - range[0]);
        show([range[0] + by, range[1] + by]);
        return;
      }
      const [left, right] = [began, share(event)].sort((a, b) => a - b);
      const [{ l }, width] = [margins(), axisWidth()];
      Object.assign(box.style, { left: `${l + left * width}px`, width: `${(right - left) * width}px` });
      box.hidden = false;
    };
    const up = (event) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      box.hidden = true;
      if (moved && !down.shiftKey) show([start, time(event)].sort((a, b) => a - b));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
  });
  plot.addEventListener("wheel", (event) => {
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !event.metaKey && !sideways) return;
    event.preventDefault();
    const by = event.deltaX || event.deltaY;
    if (sideways && !event.ctrlKey) pan(by / 1000);
    else zoom(Math.exp(Math.min(Math.max(event.deltaY, -100), 100) / 300), time(event));
  }, { passive: false });
  plot.addEventListener("dblclick", (event) => {
    if (event.target.closest(".draglayer")) fit();
  });
}

// What plotly.js tells: clicks on bars and on names above a row. Hovering reaches across
// all rows, but a click is meant for the lane that it is in.
function plotEvents() {
  plot.on("plotly_click", ({ points, event }) => {
    const lane = event.target.closest?.(".nsewdrag")?.dataset.subplot?.slice(1);
    const bar = points.find((point) => Array.isArray(point.data.meta) && point.data.yaxis === lane);
    if (dragged) return;
    const items = bar?.data.meta[bar.pointIndex];
    if (!items) return;
    if (items.length === 1 && items[0].outcome) select(items[0]);
    else zoomTo({ start: items[0].start, end: items.at(-1).end });
  });
  plot.on("plotly_legendclick", ({ curveNumber }) => {
    const key = plot.data[curveNumber]?.meta;
    if (typeof key === "string") toggleCurve(key);
    return false;
  });
}

