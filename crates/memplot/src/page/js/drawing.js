// Drawing what is chosen: the worker is asked for points, then comes the figure.

// The points of every curve that is shown, by curve, for each machine.
async function ask(all) {
  const bins = axisWidth();
  return Promise.all(data.views.map(async (view, index) => {
    const curves = all.filter((strip) => strip.index === index && strip.kind === "row")
      .flatMap((strip) => strip.row.curves).filter((curve) => !isHidden(curve));
    const answer = view.samples
      ? await points(index, curves, chosen.range, bins, baseOf(view))
      : { curves: [], bands: [], levels: [], times: 0 };
    const { curves: found, ...pressure } = answer;
    return Object.assign(new Map(curves.map((curve, i) => [curve, found[i]])), pressure);
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
        const [figure, width] = [makeFigure(all, answers), axisWidth()];
        await put(figure);
        markNoise(figure, width);
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

// Shows that part of the run. The worker is asked first, and the rest is done meanwhile.
function show(range) {
  chosen.range = within(range);
  const shown = draw();
  writeHash();
  paintStrip();
  return shown;
}

// What is on the page, for whoever checks it by machine.
function mark(state, all = []) {
  const count = (selector) => plot.querySelectorAll(`.cartesianlayer ${selector}`).length;
  root.dataset.bars = count(".barlayer .point");
  root.dataset.curves = count(".scatterlayer .trace:not([class$='band']):has(.js-line)");
  root.dataset.rows = all.filter((strip) => strip.kind === "row").length;
  root.dataset.drawn = state;
  performance.mark("drawn");
}

