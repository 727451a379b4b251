// Curves, and what stands in their rows with them.

// A trace with nothing in view has one point without a value: plotly.js leaves one without
// any point out of the legend.
const NOWHERE = { x: [ZERO], y: [NaN] };

function curveTraces(strip, curve, points) {
  const { row } = strip;
  const common = {
    yaxis: curve.right ? strip.right : strip.y, legend: strip.legend, legendgroup: curveKey(curve),
    name: curve.name, type: "scatter", visible: points ? true : "legendonly", meta: curveKey(curve),
    showlegend: !(narrow.matches && isHidden(curve)),
  };
  const { x, y, read } = points?.x.length ? points : NOWHERE;
  const filled = curve.style === "area";
  const line = {
    ...common, uid: (strip.y + curveKey(curve)).replace(/\W+/g, "-"), mode: "lines", x, y, customdata: read ?? undefined,
    line: { color: color(curve.key), width: filled ? 0.8 : 1.4, dash: dash(curve), simplify: false },
    hovertemplate: `%{${curve.above === undefined ? "y" : "customdata"}:,.${curve.digits}f}${curve.unit}<extra>${plain(row.prefix + curve.name)}</extra>`,
  };
  if (!filled) return [line];
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
    ...common, uid: `${line.uid}area`, mode: "none", x: below[0], y: below[1], hoverinfo: "skip",
    fill: "tozeroy", fillcolor: `${color(curve.key)}E0`,
  };
  return [area, { ...line, showlegend: false }];
}

// The memory in use once a model was loaded, for as long as it was there.
function levelTraces({ view, y, legend }, base) {
  const levels = view.models.filter((bar) => bar.level !== undefined);
  if (levels.length === 0) return [];
  const lives = levels.filter((bar) => bar.end >= chosen.range[0] && bar.start <= chosen.range[1]).slice(0, 200);
  const points = lives.length === 0 ? NOWHERE : {
    x: lives.flatMap((bar) => [base + bar.start, base + bar.end, base + bar.end]),
    y: lives.flatMap((bar) => [bar.level, bar.level, null]),
  };
  return [{
    type: "scatter", mode: "lines", name: "model loaded", uid: `${y}level`, yaxis: y, legend, hoverinfo: "skip",
    showlegend: !narrow.matches, ...points, line: { color: color("level"), width: 2, dash: "longdash" },
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

// Times of memory pressure, from the bottom to the top of a row. They are traces, as
// plotly.js draws everything anew for shapes that are in a legend.
function bandTraces({ y, legend }, [low, high], base, { bands, levels }, named) {
  return levels.map((level) => {
    const [name, key, alpha] = level >= 4 ? ["pressure: critical", "critical", "4D"] : ["pressure: warn", "warn", "2E"];
    const own = bands.filter((band) => band.level === level);
    const points = own.length === 0 ? NOWHERE : {
      x: own.flatMap(({ start, end }) => [start, start, end, end, end].map((ms) => base + ms)),
      y: own.flatMap(() => [low, high, high, low, null]),
    };
    return {
      type: "scatter", mode: level >= 4 ? "lines" : "none", name, uid: `${y}${key}band`, yaxis: y, legend, legendrank: 1001,
      showlegend: named && !narrow.matches, hoverinfo: "skip", fill: "toself", fillcolor: color(key) + alpha, ...points,
      line: { color: color(key), width: 1, simplify: false },
    };
  });
}

// Pixels up and down for each pixel across from which on a curve is noise.
const NOISE = 6;

// Marks the curves that are noise. What is one of lines side by side needs no width, and its
// dashes would be seen by nobody; yet of a million samples they would take longer to draw than
// all the rest. The style sheet makes such lines thin, and dashed ones striped.
function markNoise({ traces, layout }, width) {
  for (const { mode, fill, uid, yaxis, y, line } of traces) {
    if (mode !== "lines" || fill) continue;
    const { domain, range } = layout[`yaxis${yaxis.slice(1)}`];
    const perUnit = ((domain[1] - domain[0]) * layout.height) / (range[1] - range[0]);
    let way = 0;
    for (let i = 1; i < y.length; i++) way += Math.abs(y[i] - y[i - 1]) || 0;
    const noise = way * perUnit > NOISE * width;
    const drawn = plot.querySelector(`.trace${uid}`)?.classList;
    drawn?.toggle("noise", noise);
    drawn?.toggle("striped", noise && line.dash !== "solid");
  }
}

