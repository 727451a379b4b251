// Axes, legends and titles of the figure.

function baseLayout(height) {
  const paper = "rgba(0,0,0,0)";
  const ink = style("--ink");
  const [from, to] = chosen.range.map((ms) => ms + baseOf(data.views[0]));
  return {
    autosize: true, height: height + ABOVE + BELOW, margin: { ...margins(), t: ABOVE, b: BELOW },
    barmode: "overlay", bargap: 0, hovermode: "x unified", hoversubplots: "axis", hoverdistance: 40,
    dragmode: false, showlegend: true, paper_bgcolor: paper, plot_bgcolor: paper,
    font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: narrow.matches ? 10 : 12 },
    hoverlabel: {
      bgcolor: style("--paper"), bordercolor: style("--line"), align: "left", font: { color: ink }, namelength: -1,
    },
    modebar: { bgcolor: paper, color: "#8C8C8C" },
    annotations: [], shapes: [],
    xaxis: timeAxis(from, to),
  };
}

// A date axis, whose ticks fall on whole minutes and hours.
function timeAxis(from, to) {
  const wall = chosen.clock === "wall";
  const short = whole[1] < 86_400_000;
  const text = wall ? "%H:%M:%S\n%d %b %Y" : short ? "%H:%M:%S" : "%H:%M:%S\nday %-j";
  return {
    type: "date", range: [from, to], fixedrange: true, gridcolor: style("--grid"), linecolor: style("--line"),
    tickformat: text, hoverformat: `${text.replace("\n", ", ")}.%3f`.replace("%S, %d %b %Y.%3f", "%S.%3f, %d %b %Y"),
    tickformatstops: [{ dtickrange: [null, 1000], value: text.replace("%S", "%S.%2f") }],
    ticklabelstandoff: 5, nticks: narrow.matches ? 4 : undefined,
    showspikes: true, spikemode: "across", spikesnap: "cursor", spikedash: "solid", spikethickness: 1, spikecolor: "#8C8C8C",
  };
}

function legendAt(domain) {
  return {
    orientation: "h", x: 1, xanchor: "right", y: domain[1], yanchor: "bottom", bgcolor: "rgba(0,0,0,0)",
    font: { size: narrow.matches ? 9 : 11 }, itemwidth: 30, tracegroupgap: 0, itemdoubleclick: false,
  };
}

// How many lines the legend of a row takes, about: a line of it is as wide as the axis.
function legendLines(view, row) {
  const names = row.curves.filter((curve) => !(narrow.matches && isHidden(curve))).map(({ name }) => name);
  if (!narrow.matches) {
    if (row.scale === "memory") names.push("model loaded");
    if (row === view.rows[0] && view.pressure !== null) names.push("pressure: warn", "pressure: critical");
  }
  const [letter, entry] = narrow.matches ? [5, 48] : [6, 50];
  const width = names.reduce((sum, name) => sum + entry + letter * name.length, 0);
  return Math.max(1, Math.ceil(width / axisWidth()));
}

function titleAt(text, domain) {
  return {
    text: `<b>${plain(shortened(text, narrow.matches ? 24 : 80))}</b>`, showarrow: false, xref: "paper", x: 0, xanchor: "left",
    align: "left", yref: "paper", y: domain[1], yanchor: "bottom", yshift: 1, font: { size: 12 },
  };
}

function leftAxis(axis, { view, row }) {
  const most = row.curves.filter((curve) => !curve.right).reduce((most, curve) => Math.max(most, curve.max), 0);
  const top = row.scale === "memory" ? Math.max(view.memory ?? 0, most) : most;
  const unit = row.curves.find((curve) => !curve.right)?.unit ?? "";
  Object.assign(axis, { nticks: 5, ticksuffix: unit, range: [0, top > 0 ? top * 1.03 : 1] });
  if (row.scale === "percent") Object.assign(axis, { range: [0, 101], dtick: 50 });
}

function rightAxis(curves, domain, below) {
  const most = curves.reduce((most, curve) => Math.max(most, curve.max), 0);
  return {
    domain, overlaying: below, side: "right", fixedrange: true, zeroline: false, showgrid: false, nticks: 4,
    // Not up to the top, where the row's other curves often lie.
    range: [0, most > 0 ? most * 1.25 : 1], ticksuffix: curves[0]?.unit ?? "",
    tickfont: curves.length === 1 ? { color: darkEnough(color(curves[0].key)) } : {},
  };
}

// A colour that text can have on the page's paper.
function darkEnough(hex) {
  const light = getComputedStyle(root).colorScheme === "dark" || style("--paper") !== "#ffffff";
  const mix = light ? 255 : 0;
  const parts = [1, 3, 5].map((i) => Math.round(Number.parseInt(hex.slice(i, i + 2), 16) * 0.6 + mix * 0.4));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

