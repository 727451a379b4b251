// The strip below the rows: the whole run in small, what is in view, two ends to pull.
// plotly.js has one too, but it draws every row into it again at every zoom.

let overview = null;

async function makeStrip() {
  const view = data.views.find((view) => view.rows.some((row) => row.curves.length));
  const curve = view?.rows.flatMap((row) => row.curves)[0];
  if (!curve) return;
  const index = data.views.indexOf(view);
  const { curves } = await points(index, [curve], whole, Math.min(axisWidth(), 600), 0);
  overview = { curve, ...curves[0] };
  paintStrip();
}

function paintStrip() {
  const canvas = at("strip").querySelector("canvas");
  const { l, r } = margins();
  Object.assign(at("strip").style, { marginLeft: `${l}px`, marginRight: `${r}px` });
  const [low, high] = chosen.range.map((ms) => ms / whole[1]);
  at("from").value = low;
  at("to").value = high;
  at("from").setAttribute("aria-valuetext", elapsed(chosen.range[0]));
  at("to").setAttribute("aria-valuetext", elapsed(chosen.range[1]));
  const { clientWidth: width, clientHeight: height } = canvas;
  if (width === 0) return;
  const scale = devicePixelRatio;
  Object.assign(canvas, { width: width * scale, height: height * scale });
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  if (overview) {
    const most = overview.curve.max || 1;
    pen.strokeStyle = color(overview.curve.key);
    pen.beginPath();
    let down = false;
    overview.x.forEach((x, i) => {
      const y = overview.y[i];
      if (!Number.isNaN(y)) pen[down ? "lineTo" : "moveTo"]((x / whole[1]) * width, height - 4 - (y / most) * (height - 8));
      down = !Number.isNaN(y);
    });
    pen.stroke();
  }
  // What went wrong is seen from afar.
  for (const item of [...tests.filter(({ class: name }) => name === "failed" || name === "error"), ...anomalies]) {
    pen.fillStyle = color(item.class);
    pen.fillRect((item.start / whole[1]) * width, height - 4, 2, 4);
  }
  pen.globalAlpha = 0.3;
  pen.fillStyle = style("--quiet");
  pen.fillRect(0, 0, low * width, height);
  pen.fillRect(high * width, 0, (1 - high) * width, height);
}

function stripEvents() {
  const [from, to, canvas] = [at("from"), at("to"), at("strip").querySelector("canvas")];
  const least = 1e-5;
  const showShare = (low, high) => show([low * whole[1], high * whole[1]]);
  from.addEventListener("input", () => showShare(Math.min(from.value, to.value - least), +to.value));
  to.addEventListener("input", () => showShare(+from.value, Math.max(to.value, +from.value + least)));
  canvas.addEventListener("dblclick", () => show(whole));
  canvas.addEventListener("pointerdown", (down) => {
    canvas.setPointerCapture(down.pointerId);
    const [low, high] = chosen.range.map((ms) => ms / whole[1]);
    const width = canvas.clientWidth;
    // Outside of what is in view, the view comes to the pointer.
    const part = down.offsetX / width;
    const jump = part < low || part > high ? part - (low + high) / 2 : 0;
    const move = (x) => {
      const by = Math.min(Math.max(jump + (x - down.clientX) / width, -low), 1 - high);
      showShare(low + by, high + by);
    };
    if (jump) move(down.clientX);
    canvas.onpointermove = (moved) => move(moved.clientX);
    canvas.onpointerup = canvas.onpointercancel = () => (canvas.onpointermove = null);
  });
}

