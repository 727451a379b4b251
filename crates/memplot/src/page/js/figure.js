// The figure: all rows on one time axis, as only so hovering reaches across them
// (`hoversubplots: "axis"`). It is made anew from what is chosen at every change.

// Pixels between a row and the title of the one below it.
const BETWEEN = 8;
// Pixels that a row's title and legend take.
const HEAD = 24;
// Pixels above and below the rows.
const ABOVE = 8;
const BELOW = 34;
const HEIGHTS = { memory: 190, percent: 120, from_zero: 100 };
// Pixels of a row of bars.
const BAR = 27;
// The zero of an axis of elapsed time: 1 January 1971. plotly.js takes numbers below
// 10,000 for years, and the first day of a year is day 1.
const ZERO = 31_536_000_000;

// What the axis has for the start of a run: wall-clock time as the reader's clock shows it.
function baseOf(view) {
  if (chosen.clock === "elapsed") return ZERO;
  const start = data.runs[view.run].start * 1e3;
  return start - new Date(start).getTimezoneOffset() * 60_000;
}

const isHidden = (curve) => (chosen.hidden ? chosen.hidden.has(curveKey(curve)) : curve.style === "optional");

function margins() {
  return narrow.matches ? { l: 42, r: 48 } : { l: 58, r: 62 };
}

// Pixels of the time axis.
function axisWidth() {
  const { l, r } = margins();
  return Math.max(100, Math.round(plot.clientWidth - l - r));
}

// The strips from top to bottom, each with what it shows.
function strips() {
  const all = [];
  data.views.forEach((view, index) => {
    const title = (text) => (view.label ? `${view.label}: ${text}` : text);
    const lane = (kind, text, items) => {
      if (items.length === 0) return;
      const count = items.reduce((most, item) => Math.max(most, item.lane + 1), 1);
      // Many rows get less room each: the curves below are the matter.
      const height = BAR * Math.min(count, 4) + 14 * Math.max(count - 4, 0);
      all.push({ kind, view, index, title: title(text), items, count, height });
    };
    lane("tests", "Tests", view.tests.filter(isShown));
    lane("models", "Models", view.models);
    lane("phases", "Phases", view.phases);
    lane("anomalies", "Anomalies", view.anomalies);
    for (const row of view.rows) {
      if (row.curves.length === 0) continue;
      all.push({ kind: "row", view, index, title: title(row.title), row, height: HEIGHTS[row.scale] });
    }
  });
  return all;
}

const CLASSES = {
  tests: ["without_model", "with_model", "skipped", "error", "failed"],
  models: ["life", "load"],
  phases: ["warmup", "measure"],
  anomalies: ["info", "warn", "critical"],
};

const numbered = (name, n) => (n === 1 ? name : name + n);

function makeFigure(all, answers) {
  const height = Math.max(all.reduce((sum, strip) => sum + HEAD + strip.height + BETWEEN, -BETWEEN), 1);
  const layout = baseLayout(height);
  const traces = [];
  const [from, to] = chosen.range;
  const perPixel = (to - from) / axisWidth();
  let top = 0;
  let axes = 0;
  all.forEach((strip, n) => {
    const domain = [height - top - HEAD - strip.height, height - top - HEAD].map((y) => Math.min(Math.max(y / height, 0), 1));
    top += HEAD + strip.height + BETWEEN;
    const [y, legend] = [numbered("y", ++axes), numbered("legend", n + 1)];
    Object.assign(strip, { domain, y, legend });
    layout[legend] = legendAt(domain);
    layout.annotations.push(titleAt(strip.title, domain));
    const base = baseOf(strip.view);
    const axis = { domain, fixedrange: true, zeroline: false, gridcolor: style("--grid") };
    layout[`yaxis${axes === 1 ? "" : axes}`] = axis;
    if (strip.kind !== "row") {
      Object.assign(axis, { range: [strip.count - 0.5, -0.5], showticklabels: false, showgrid: false });
      const common = { yaxis: y, legend, showlegend: !narrow.matches && (strip.kind === "tests" || strip.kind === "phases") };
      traces.push(...barTraces(strip.kind, strip.items, CLASSES[strip.kind], chosen.range, perPixel, base, common));
      if (strip.kind === "anomalies") {
        traces.push(...markTraces(strip.items, chosen.range, perPixel, base, { yaxis: y, legend }));
      }
      return;
    }
    leftAxis(axis, strip);
    const right = strip.row.curves.filter((curve) => curve.right && !isHidden(curve));
    if (strip.row.curves.some((curve) => curve.right)) {
      strip.right = numbered("y", ++axes);
      layout[`yaxis${axes}`] = rightAxis(right, domain, y);
    }
    for (const curve of strip.row.curves) {
      traces.push(...curveTraces(strip, curve, answers[strip.index].get(curve)));
    }
    if (strip.row.scale === "memory") {
      traces.push(...levelTraces(strip, base));
      thresholds(layout, strip);
    }
  });
  const bottom = all.at(-1);
  Object.assign(layout.xaxis, { anchor: bottom ? bottom.y : "y" });
  bands(layout, all, answers);
  shade(layout);
  return { traces, layout };
}

function curveTraces(strip, curve, points) {
  const { row } = strip;
  const common = {
    yaxis: curve.right ? strip.right : strip.y, legend: strip.legend, legendgroup: curveKey(curve),
    name: curve.name, type: "scatter", visible: points ? true : "legendonly",
    showlegend: !(narrow.matches && isHidden(curve)),
  };
  // One point without a value: plotly.js leaves a trace of none out of the legend.
  const { x, y, read } = points ?? { x: [ZERO], y: [NaN], read: null };
  const filled = curve.style === "area";
  const line = {
    ...common, uid: (strip.y + curveKey(curve)).replace(/\W+/g, "-"), mode: "lines", x, y, customdata: read ?? undefined, meta: curveKey(curve),
    line: { color: color(curve.key), width: filled ? 0.8 : 1.4, dash: dash(curve), simplify: false },
    hovertemplate: `%{${read ? "customdata" : "y"}:,.${curve.digits}f}${curve.unit}<extra>${plain(row.prefix + curve.name)}</extra>`,
  };
  if (!filled || !points) return [line];
  const fill = { fill: "tozeroy", fillcolor: `${color(curve.key)}E0` };
  if (!y.some(Number.isNaN)) return [{ ...line, ...fill }];
  // A fill runs on across a break in its line, so it has a line of its own, unseen, which
  // is at zero there. It stands for the curve in the legend.
  const below = [[], []];
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(y[i])) {
      below[0].push(x[i], x[i + 1]);
      below[1].push(0, 0);
    } else {
      below[0].push(x[i]);
      below[1].push(y[i]);
    }
  }
  const area = {
    ...common, ...fill, uid: `${line.uid}area`, mode: "none", x: below[0], y: below[1], hoverinfo: "skip", meta: curveKey(curve),
  };
  return [area, { ...line, showlegend: false }];
}

// The memory in use once a model was loaded, for as long as it was there.
function levelTraces({ view, y, legend }, base) {
  const lives = view.models.filter((bar) => bar.level !== undefined
    && bar.end >= chosen.range[0] && bar.start <= chosen.range[1]).slice(0, 200);
  if (lives.length === 0) return [];
  return [{
    type: "scatter", mode: "lines", name: "model loaded", uid: `${y}level`, yaxis: y, legend, hoverinfo: "skip",
    showlegend: !narrow.matches,
    x: lives.flatMap((bar) => [base + bar.start, base + bar.end, base + bar.end]),
    y: lives.flatMap((bar) => [bar.level, bar.level, null]),
    line: { color: color("level"), width: 2, dash: "longdash" },
  }];
}

function thresholds(layout, { view, y }) {
  if (!view.memory) return;
  for (const [share, name] of [[2, "half"], [4, "a quarter"]]) {
    const gb = view.memory / share;
    layout.shapes.push({
      type: "line", layer: "below", xref: "paper", x0: 0, x1: 1, yref: y, y0: gb, y1: gb,
      line: { color: "#8C8C8C", width: 1, dash: "dash" },
    });
    layout.annotations.push({
      text: `${name} of ${view.memory.toFixed(1)} GB`, showarrow: false, xref: "paper", x: 1, xanchor: "right", yref: y, y: gb,
      yanchor: "bottom", borderpad: 0, font: { size: 10, color: style("--quiet") },
    });
  }
}

// Times of memory pressure, over all rows of curves of their machine.
function bands(layout, all, answers) {
  data.views.forEach((view, index) => {
    const rows = all.filter((strip) => strip.index === index && strip.kind === "row");
    if (rows.length === 0) return;
    const named = new Set();
    for (const { level, start, end } of answers[index].bands) {
      const [name, key, opacity] = level >= 4 ? ["pressure: critical", "critical", 0.3] : ["pressure: warn", "warn", 0.18];
      const legend = named.has(name) || narrow.matches ? {} : { showlegend: true, name, legend: rows[0].legend };
      named.add(name);
      layout.shapes.push({
        type: "rect", layer: "below", xref: "x", x0: baseOf(view) + start, x1: baseOf(view) + end, yref: "paper",
        y0: rows.at(-1).domain[0], y1: rows[0].domain[1], fillcolor: color(key), opacity,
        line: { color: color(key), width: level >= 4 ? 1 : 0 }, ...legend,
      });
    }
  });
}

// The selected test, in every row.
function shade(layout) {
  const { test } = chosen;
  if (!test) return;
  const base = baseOf(data.views[test.view]);
  layout.shapes.push({
    type: "rect", layer: "below", xref: "x", x0: base + test.start, x1: base + Math.max(test.end, test.start + 1),
    yref: "paper", y0: 0, y1: 1, fillcolor: style("--accent"), opacity: 0.13, line: { width: 0 },
  });
}

// The points of every curve that is shown, by curve, for each machine.
async function ask(all) {
  const bins = axisWidth();
  return Promise.all(data.views.map(async (view, index) => {
    const curves = all.filter((strip) => strip.index === index && strip.kind === "row")
      .flatMap((strip) => strip.row.curves).filter((curve) => !isHidden(curve));
    const answer = view.samples
      ? await points(index, curves, chosen.range, bins, baseOf(view))
      : { curves: [], bands: [], times: 0 };
    const byCurve = new Map(curves.map((curve, i) => [curve, answer.curves[i]]));
    return Object.assign(byCurve, { bands: answer.bands, times: answer.times });
  }));
}

// What is drawn of what was measured, in a sentence.
function describePoints(answers) {
  const points = answers.flatMap((answer) => [...answer.values()]);
  const [drawn, measured] = ["drawn", "measured"].map((key) => points.reduce((sum, curve) => sum + curve[key], 0));
  const times = answers.reduce((sum, answer) => sum + answer.times, 0);
  const shaded = times ? ` Shaded: ${counted(times, "time")} of memory pressure.` : "";
  if (measured === 0) return shaded.trim();
  const share = drawn === measured
    ? `Every sample is drawn: ${counted(measured, "point")}.`
    : `${grouped(drawn)} of ${counted(measured, "point")} drawn, extremes exact.`;
  return share + shaded;
}

const CONFIG = {
  responsive: false, displaylogo: false, displayModeBar: false, doubleClick: false, scrollZoom: false,
  showAxisDragHandles: false,
};

let busy = null;
let again = false;
let drawn = false;
// The first picture is whole, and everything answers.
let started = false;

// Draws what is chosen; of several wishes at once the last one counts.
function draw() {
  again = true;
  root.dataset.busy = "";
  busy ??= (async () => {
    try {
      while (again) {
        again = false;
        const all = strips();
        const answers = await ask(all);
        const { traces, layout } = makeFigure(all, answers);
        await Plotly[drawn ? "react" : "newPlot"](plot, traces, layout, CONFIG);
        drawn = true;
        at("points").textContent = describePoints(answers);
        mark("yes", all);
      }
    } finally {
      busy = null;
      if (started) delete root.dataset.busy;
    }
  })();
  return busy;
}

// Shows that part of the run.
function show(range) {
  chosen.range = within(range);
  writeHash();
  paintStrip();
  return draw();
}

// What is on the page, for whoever checks it by machine.
function mark(state, all = []) {
  const count = (selector) => plot.querySelectorAll(`.cartesianlayer ${selector}`).length;
  root.dataset.bars = count(".barlayer .point");
  root.dataset.curves = count(".scatterlayer .trace:has(.js-line)");
  root.dataset.rows = all.filter((strip) => strip.kind === "row").length;
  root.dataset.drawn = state;
  performance.mark("drawn");
}

