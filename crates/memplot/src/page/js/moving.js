// A zoom without making everything anew. `Plotly.react` and all else that is public goes
// through what could have changed, and draws legends, titles and patterns again: most of a
// zoom's time. Where only the range and the points are others, the points go to where
// plotly.js keeps those that it calculated, and a relayout of the range draws them.
//
// Not public are `_fullData`, `_length`, `_module`, `_plots` and `calcdata`: the version of
// plotly.js is fixed, and a test compares each zoom with a page opened there.

// What of a trace is its points.
const POINTS = new Set(["x", "y", "base", "text", "hovertext", "meta", "customdata", "opacity"]);
const isList = (value) => Array.isArray(value) || ArrayBuffer.isView(value);

// The figure without its points and its range.
function frameOf({ traces, layout: { xaxis: { range, ...xaxis }, ...layout } }) {
  const frame = [plot.clientWidth, traces, layout, xaxis];
  return JSON.stringify(frame, (key, value) => (POINTS.has(key) && isList(value) ? undefined : value));
}

// The frame that is drawn.
let frame = null;

// Has `figure` drawn.
async function put(figure) {
  const [wanted, { traces, layout }] = [frameOf(figure), figure];
  const same = wanted === frame;
  // Should it fail, the next one is drawn anew.
  frame = null;
  await (same ? move(figure) : Plotly.react(plot, traces, layout, CONFIG));
  frame = wanted;
}

function move({ traces, layout }) {
  traces.forEach((trace, i) => {
    const full = plot._fullData[i];
    putPoints(trace, [plot.data[i], full]);
    full._length = trace.x.length;
    if (full.visible !== true) return;
    const points = full.mode === "lines" ? pointsOf(trace) : full._module.calc(plot, full);
    Object.assign(points[0], { trace: full, t: points[0].t ?? {} });
    plot.calcdata[i] = points;
  });
  for (const cross of new Set(plot._fullData.map(({ _module }) => _module.crossTraceCalc))) {
    for (const subplot of Object.values(plot._fullLayout._plots)) cross?.(plot, subplot);
  }
  return Plotly.relayout(plot, { "xaxis.range": layout.xaxis.range });
}

// What plotly.js calculates for lines, times to a tenth of a millisecond, but without reading
// each time as a text, which takes longer than the rest of it.
function pointsOf({ x, y }) {
  return Array.from(x, (at, i) => (Number.isFinite(y[i])
    ? { x: Math.round(at * 10) / 10, y: y[i], i }
    : { x: undefined, y: undefined, i }));
}

function putPoints(from, all) {
  for (const key of POINTS) {
    if (isList(from[key])) for (const to of all) to[key] = from[key];
  }
  if (from.marker) putPoints(from.marker, all.map(({ marker }) => marker));
}

