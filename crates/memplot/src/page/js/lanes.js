// Lanes of bars: tests, models, phases, anomalies. What is narrower than a pixel is drawn
// together with its neighbours, so that there are never more bars than pixels.

// Pixels up to which narrow bars become one.
const CLUMP = 6;
// Pixels of a letter in a bar, about.
const LETTER = 6.6;

// `items` of one class in view as bars.
function clumped(items, [from, to], perPixel) {
  const last = new Map();
  const bars = [];
  for (const item of items) {
    if (item.end < from || item.start > to) continue;
    const before = last.get(item.lane);
    const narrow = item.end - item.start < 2 * perPixel;
    if (narrow && before?.narrow && item.start - before.end < perPixel
      && item.end - before.start < CLUMP * perPixel) {
      before.end = Math.max(before.end, item.end);
      before.items.push(item);
      continue;
    }
    const bar = { start: item.start, end: item.end, lane: item.lane, items: [item], narrow };
    last.set(item.lane, bar);
    bars.push(bar);
  }
  // What is only partly in view keeps its name in sight.
  for (const bar of bars) {
    bar.start = Math.max(bar.start, from - 4 * perPixel);
    bar.end = Math.min(bar.end, to + 4 * perPixel);
  }
  return bars;
}

// A trace for each class of `items`, in the order of `classes`: later ones lie above.
function barTraces(lane, items, classes, window, perPixel, base, common) {
  const traces = [];
  for (const name of classes) {
    const ofClass = items.filter((item) => item.class === name);
    if (ofClass.length === 0) continue;
    const bars = clumped(ofClass, window, perPixel);
    // One without a value where none is in view, as for curves.
    if (bars.length === 0) bars.push({ start: 0, end: 0, lane: null, items: ofClass.slice(0, 1) });
    const look = LOOKS[name];
    const even = new Map();
    const opacity = bars.map((bar) => {
      even.set(bar.lane, !even.get(bar.lane));
      return (name === "life" ? 0.45 : 1) * (even.get(bar.lane) ? 1 : 0.72);
    });
    traces.push({
      type: "bar", orientation: "h", width: 0.84, name: look.name, uid: `${common.yaxis}${name}`,
      base: bars.map((bar) => base + bar.start),
      x: bars.map((bar) => bar.end - bar.start),
      y: bars.map((bar) => bar.lane),
      // The outline is a pixel wide at any zoom: no bar is too short to be seen.
      marker: {
        color: color(name), opacity, line: { color: color(name), width: 1 },
        pattern: look.pattern
          ? { shape: look.pattern, fillmode: "overlay", fgcolor: "#FFFFFF", fgopacity: 0.55, size: 7, solidity: 0.2 }
          : undefined,
      },
      text: bars.map((bar) => nameInside(bar, perPixel)),
      textposition: "inside", insidetextanchor: "start", constraintext: "none", textangle: 0,
      insidetextfont: { size: 11, color: name === "life" ? style("--ink") : readable(color(name)) },
      hovertext: bars.map((bar) => hoverText(bar, lane)), hovertemplate: "%{hovertext}<extra></extra>",
      meta: bars.map((bar) => bar.items), ...common,
    });
  }
  return traces;
}

// Black or white, whichever is read more easily on `hex`.
function readable(hex) {
  const [red, green, blue] = [1, 3, 5].map((i) => (Number.parseInt(hex.slice(i, i + 2), 16) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.36 ? "#111111" : "#FFFFFF";
}

// As much of the name as the bar has room for; nothing where that is too little.
function nameInside(bar, perPixel) {
  const room = Math.floor((bar.end - bar.start) / perPixel / LETTER) - 1;
  if (bar.items.length > 1 || room < 4) return "";
  const [item] = bar.items;
  const letter = XLETTERS[item.outcome] ?? LOOKS[item.class].letter;
  return plain(shortened(letter + item.name, room));
}

function hoverText(bar, lane) {
  if (bar.items.length > 1) {
    const { name } = LOOKS[bar.items[0].class];
    return `<b>${grouped(bar.items.length)} ${lane === "tests" ? "tests, " : ""}${name}</b><br>Zoom in to tell them apart.`;
  }
  const [item] = bar.items;
  return lane === "tests" ? (item.told ??= testText(item)) : [
    `<b>${wrapped(item.name)}</b>`, LOOKS[item.class].name, ...item.about.map((line) => wrapped(line)),
  ].join("<br>");
}

function testText(test) {
  const figure = (name, key, unit, digits) => (test[key] === undefined ? [] : [`${name} ${test[key].toFixed(digits)} ${unit}`]);
  const took = test.took === undefined ? "duration not measured" : duration(test.took);
  const lines = [
    wrapped(test.id),
    `<b>${plain(test.outcome)}</b>, ${took}`,
    wrapped([test.model, test.backend].filter(Boolean).join(" on ")),
    [
      ...figure("tree peak", "tree_gb", "GB", 3), ...figure("least free", "free_gb", "GB", 3),
      ...figure("swap up to", "swap_mb", "MB", 1), ...figure("GPU up to", "gpu_pct", "%", 1),
    ].join(", "),
    wrapped(shortened(test.reason ?? "", 240)),
  ];
  return lines.filter(Boolean).join("<br>");
}

// Anomalies as marks, where they begin: seen however short they are.
function markTraces(items, [from, to], perPixel, base, common) {
  const traces = [];
  for (const name of ["info", "warn", "critical"]) {
    const seen = [];
    for (const item of items) {
      if (item.class !== name || item.end < from || item.start > to) continue;
      const start = Math.max(item.start, from);
      const near = seen.findLast((mark) => mark.lane === item.lane);
      if (near && start - near.start < 4 * perPixel) near.items.push(item);
      else seen.push({ start, end: start, lane: item.lane, items: [item] });
    }
    if (!items.some((item) => item.class === name)) continue;
    if (seen.length === 0) seen.push({ start: 0, end: 0, lane: null, items: [] });
    traces.push({
      type: "scatter", mode: "markers", name: LOOKS[name].name, uid: `${common.yaxis}${name}mark`,
      x: seen.map((mark) => base + mark.start), y: seen.map((mark) => mark.lane),
      marker: { symbol: LOOKS[name].symbol, size: 10, color: color(name), line: { color: style("--paper"), width: 1 } },
      hovertext: seen.map((mark) => (mark.items.length ? hoverText(mark, "anomalies") : "")), hovertemplate: "%{hovertext}<extra></extra>",
      meta: seen.map((mark) => mark.items), cliponaxis: false, showlegend: !narrow.matches, ...common,
    });
  }
  return traces;
}

