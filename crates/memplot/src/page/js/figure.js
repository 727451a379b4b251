// The figure: all rows on one time axis, as only so hovering reaches across them
// (`hoversubplots: "axis"`). It is made anew from what is chosen at every change. Which
// traces there are does not hang on the range: so legends stay, and a zoom moves points alone.

// Pixels between a row and the title of the one below it.
const BETWEEN = 8;
// Pixels that a row's title and legend take, and each line more of the legend.
const HEAD = 24;
const LINE = 17;
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
      all.push({ kind, view, index, title: title(text), items, count, height, head: HEAD });
    };
    lane("tests", "Tests", view.tests.filter(isShown));
    lane("models", "Models", view.models);
    lane("phases", "Phases", view.phases);
    lane("anomalies", "Anomalies", view.anomalies);
    for (const row of view.rows) {
      if (row.curves.length === 0) continue;
      const head = HEAD + LINE * (legendLines(view, row) - 1);
      all.push({ kind: "row", view, index, title: title(row.title), row, height: HEIGHTS[row.scale], head });
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
  const height = Math.max(all.reduce((sum, strip) => sum + strip.head + strip.height + BETWEEN, -BETWEEN), 1);
  const layout = baseLayout(height);
  const traces = [];
  const [from, to] = chosen.range;
  const perPixel = (to - from) / axisWidth();
  let top = 0;
  let axes = 0;
  all.forEach((strip, n) => {
    top += strip.head + strip.height;
    const domain = [height - top, height - top + strip.height].map((y) => Math.min(Math.max(y / height, 0), 1));
    top += BETWEEN;
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
    const named = strip === all.find(({ kind, index }) => kind === "row" && index === strip.index);
    traces.push(...bandTraces(strip, axis.range, base, answers[strip.index], named));
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
  shade(layout);
  return { traces, layout };
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

