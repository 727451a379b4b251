// In the order in which a reader wants to see it: words first, then the figure.

const isEmpty = data.views.length === 0;

async function start() {
  // What comes after this script in the page: samples and plotly.js.
  if (document.readyState === "loading") {
    await new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
  }
  loadSamples();
  // The worker is asked now, so that it unpacks while plotly.js is started here.
  const ready = ask(strips());
  await library();
  await ready;
  at("state").remove();
  await draw();
  plotEvents();
  await makeStrip();
  await exported();
  started = true;
  delete root.dataset.busy;
  let width = plot.clientWidth;
  new ResizeObserver(() => {
    if (plot.clientWidth === width) return;
    width = plot.clientWidth;
    root.style.setProperty("--print-zoom", Math.min(1, 690 / width));
    paintStrip();
    draw();
  }).observe(plot);
  root.style.setProperty("--print-zoom", Math.min(1, 690 / width));
  for (const query of [darkness, narrow]) query.addEventListener("change", () => changed());
}

// The figure as a picture, in the page as a data URL: how memplot gets at it.
async function exported() {
  if (!format) return;
  const { margin, height } = plot.layout;
  const layout = {
    ...plot.layout, paper_bgcolor: style("--paper"), plot_bgcolor: style("--paper"), width: plot.clientWidth, height: height + 36,
    margin: { ...margin, t: margin.t + 36 },
    title: { text: plain(shortened(data.title, 100)), x: 0, xref: "paper", y: 1, yref: "container", yanchor: "top", pad: { t: 10 } },
  };
  const picture = await Plotly.toImage({ data: plot.data, layout }, { format, scale: format === "png" ? 2 : 1 });
  document.body.append(element("pre", picture, { id: "picture", hidden: true }));
}

readHash();
root.dataset.theme = chosen.theme;
root.dataset.palette = chosen.palette;
header();
tableHead();
fillTable(chosen.test ? tests.filter(isShown).indexOf(chosen.test) : 0);
performance.mark("table");
if (isEmpty) {
  say("No samples and no tests: there is nothing to draw.");
  mark("nothing");
  release();
} else {
  controls();
  keys();
  pointer();
  stripEvents();
  at("controls").hidden = at("strip").hidden = at("hint").hidden = false;
  paintStrip();
  await start();
  release();
}
