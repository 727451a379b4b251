// The page of a timeline: header and table at once, the figure when plotly.js is
// unpacked. Text from outside is only ever text: it goes in by textContent, and what
// plotly.js gets has been escaped for it.
"use strict";

(() => {
  const root = document.documentElement;
  const at = (id) => document.getElementById(id);
  const data = JSON.parse(at("data").textContent);
  const plot = at("plot");
  const narrow = matchMedia("(max-width: 600px)");
  const coarse = matchMedia("(pointer: coarse)");
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function element(name, text, properties = {}) {
    const made = Object.assign(document.createElement(name), properties);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function header() {
    at("title").textContent = data.title;
    for (const [label, text] of data.facts) {
      const fact = element("div");
      fact.append(element("dt", label), element("dd", text));
      at("facts").append(fact);
    }
    at("warnings").append(...data.warnings.map((text) => element("li", text)));
    at("warnings").hidden = data.warnings.length === 0;
    plot.setAttribute("aria-label", data.label);
  }

  function table() {
    const { columns, rows, note } = data.table;
    if (rows.length === 0) return;
    const head = element("tr");
    for (const { name, figures } of columns) {
      head.append(element("th", name, { scope: "col", className: figures ? "figure" : "" }));
    }
    at("tests").querySelector("thead").append(head);
    at("tests").querySelector("tbody").append(...rows.map((row) => tableRow(row, columns)));
    at("note").textContent = note ?? "";
    at("note").hidden = !note;
    at("tests").hidden = false;
  }

  function tableRow(row, columns) {
    const line = element("tr");
    line.dataset.class = row.class;
    row.cells.forEach((text, i) => {
      const cell = element("td", undefined, { className: columns[i].figures ? "figure" : "" });
      if (i === 0) cell.append(element("button", text, { type: "button", title: "Zoom to this test" }));
      else if (i === 2) cell.append(element("span", text, { className: "badge" }));
      else cell.textContent = text;
      if (i === 2 && row.reason) cell.append(element("span", row.reason, { className: "reason" }));
      line.append(cell);
    });
    line.addEventListener("click", () => {
      if (String(getSelection()) === "") select(line, row);
    });
    return line;
  }

  // Zooms to a test, with room on both sides, and shades it in every row.
  function select(line, row) {
    if (!window.Plotly || !plot.layout) return;
    document.querySelector("tr[aria-selected]")?.removeAttribute("aria-selected");
    line.setAttribute("aria-selected", "true");
    const [start, end] = data.figure.layout.xaxis.range;
    const [from, to] = row.zoom;
    const room = Math.max((to - from) * 0.5, (end - start) / 500);
    const shade = {
      type: "rect", layer: "below", xref: "x", x0: from, x1: Math.max(to, from + 1),
      yref: "paper", y0: 0, y1: 1, fillcolor: style("--accent"), opacity: 0.13, line: { width: 0 },
    };
    Plotly.relayout(plot, {
      "xaxis.range": [from - room, to + room],
      shapes: [...data.figure.layout.shapes, shade],
    });
    plot.scrollIntoView({ block: "nearest" });
  }

  function showAll() {
    document.querySelector("tr[aria-selected]")?.removeAttribute("aria-selected");
    const { xaxis, shapes } = data.figure.layout;
    Plotly.relayout(plot, { "xaxis.range": [...xaxis.range], shapes });
  }

  // The strip below the rows: the first curve in small, what is in view, two ends.
  // plotly.js has one too, but it draws every row into it again at every zoom.
  function strip(traces) {
    const [from, to, canvas] = [at("from"), at("to"), at("strip").querySelector("canvas")];
    const [start, end] = data.figure.layout.xaxis.range;
    const curve = traces.find((trace) => trace.type === "scatter" && trace.mode === "lines" && trace.name);
    const share = (x) => Math.min(Math.max((x - start) / (end - start), 0), 1);
    let wanted = null;
    let busy = false;

    function paint() {
      const { l, r } = plot._fullLayout._size;
      Object.assign(at("strip").style, { marginLeft: `${l}px`, marginRight: `${r}px` });
      const { clientWidth: width, clientHeight: height } = canvas;
      const scale = devicePixelRatio;
      Object.assign(canvas, { width: width * scale, height: height * scale });
      const pen = canvas.getContext("2d");
      pen.scale(scale, scale);
      if (curve) {
        const most = curve.y.reduce((most, y) => Math.max(most, y), 0) || 1;
        pen.strokeStyle = curve.line.color;
        pen.beginPath();
        let down = false;
        curve.y.forEach((y, i) => {
          const point = [share(curve.x[i]) * width, height - 4 - (y / most) * (height - 8)];
          if (y !== null) pen[down ? "lineTo" : "moveTo"](...point);
          down = y !== null;
        });
        pen.stroke();
      }
      pen.globalAlpha = 0.3;
      pen.fillStyle = style("--quiet");
      pen.fillRect(0, 0, from.value * width, height);
      pen.fillRect(to.value * width, 0, (1 - to.value) * width, height);
    }

    // Shows the part between two shares of the run; the last one asked for wins.
    async function show(low, high) {
      [from.value, to.value] = [low, high];
      paint();
      wanted = [low, high].map((part) => start + part * (end - start));
      if (busy) return;
      busy = true;
      while (wanted) {
        const range = wanted;
        wanted = null;
        await Plotly.relayout(plot, { "xaxis.range": range });
      }
      busy = false;
    }

    function follow() {
      if (busy) return;
      const { range, r2l } = plot._fullLayout.xaxis;
      [from.value, to.value] = range.map((x) => share(r2l(x)));
      paint();
    }

    const least = 1e-4;
    from.addEventListener("input", () => show(Math.min(from.value, to.value - least), +to.value));
    to.addEventListener("input", () => show(+from.value, Math.max(to.value, +from.value + least)));
    canvas.addEventListener("pointerdown", (down) => {
      canvas.setPointerCapture(down.pointerId);
      const [low, high, width] = [+from.value, +to.value, canvas.clientWidth];
      // Outside of what is in view, the view comes to the pointer.
      const part = down.offsetX / width;
      const jump = part < low || part > high ? part - (low + high) / 2 : 0;
      const move = (x) => {
        const by = Math.min(Math.max(jump + (x - down.clientX) / width, -low), 1 - high);
        show(low + by, high + by);
      };
      if (jump) move(down.clientX);
      canvas.onpointermove = (moved) => move(moved.clientX);
      canvas.onpointerup = canvas.onpointercancel = () => (canvas.onpointermove = null);
    });
    at("strip").hidden = false;
    [from.value, to.value] = [0, 1];
    paint();
    plot.on("plotly_relayout", follow);
    new ResizeObserver(paint).observe(plot);
    dark.addEventListener("change", paint);
  }

  function style(name) {
    return getComputedStyle(root).getPropertyValue(name).trim();
  }

  // What depends on the reader's colours and screen.
  function fitted() {
    const paper = "rgba(0,0,0,0)";
    return {
      paper_bgcolor: paper,
      plot_bgcolor: paper,
      "font.color": style("--ink"),
      "font.family": getComputedStyle(document.body).fontFamily,
      "font.size": narrow.matches ? 10 : 12,
      "hoverlabel.bgcolor": style("--paper"),
      "hoverlabel.bordercolor": style("--line"),
      "hoverlabel.font.color": style("--ink"),
      "hoverlabel.align": "left",
      "margin.l": narrow.matches ? 40 : data.figure.layout.margin.l,
      "margin.r": narrow.matches ? 40 : data.figure.layout.margin.r,
      // A finger scrolls the page; the strip below zooms.
      dragmode: coarse.matches ? false : "zoom",
    };
  }

  // `object` with each of `paths` ("font.size") set in it, as relayout would.
  function withPaths(object, paths) {
    for (const [path, value] of Object.entries(paths)) {
      const names = path.split(".");
      const last = names.pop();
      names.reduce((inner, name) => (inner[name] ??= {}), object)[last] = value;
    }
    return object;
  }

  // Unpacks plotly.js and runs it as the one script that the page's policy knows.
  async function library() {
    const packed = Uint8Array.from(atob(at("library").textContent), (c) => c.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = element("script", await new Response(unpacked).text());
    document.head.append(script);
    if (!window.Plotly) throw new Error("plotly.js did not run");
  }

  async function draw() {
    const { data: traces, layout, config } = data.figure;
    if (narrow.matches) {
      // One line of names above a row is all that there is room for.
      for (const shape of layout.shapes) shape.showlegend = false;
      for (const trace of traces) if (trace.visible === "legendonly") trace.showlegend = false;
    }
    config.displayModeBar = narrow.matches ? false : config.displayModeBar;
    config.modeBarButtonsToRemove = ["select2d", "lasso2d", "autoScale2d"];
    await Plotly.newPlot(plot, traces, withPaths(structuredClone(layout), fitted()), config);
    strip(traces);
    at("points").textContent = data.figure.points ?? "";
    at("hint").hidden = false;
    at("all").addEventListener("click", showAll);
    plot.on("plotly_doubleclick", () => (showAll(), false));
    for (const query of [dark, narrow]) {
      query.addEventListener("change", () => Plotly.relayout(plot, fitted()));
    }
  }

  function say(text) {
    plot.replaceChildren(element("p", text, { id: "state" }));
  }

  // What is on the page, for whoever checks it by machine.
  function mark(state) {
    const drawn = (selector) => plot.querySelectorAll(`.cartesianlayer ${selector}`).length;
    root.dataset.bars = drawn(".barlayer .point");
    root.dataset.curves = drawn(".scatterlayer .trace:has(.js-line)");
    root.dataset.rows = data.figure?.rows ?? 0;
    root.dataset.drawn = state;
  }

  header();
  table();
  if (!data.figure) {
    say("No samples and no tests: there is nothing to draw.");
    mark("nothing");
    return;
  }
  library()
    .then(() => (at("state").remove(), draw()))
    .then(() => mark("yes"))
    .catch((error) => {
      say(`The figure cannot be drawn: ${error.message}. A browser of 2023 or later can.`);
      mark("failed");
    });
})();
