// The samples: they stay in a worker, which picks the points for what is in view.

let worker = null;
let questions = 0;
const waiting = new Map();

// Starts the worker and hands it the packed columns.
function loadSamples() {
  const address = URL.createObjectURL(new Blob([at("worker").textContent], { type: "text/javascript" }));
  worker = new Worker(address);
  worker.onmessage = ({ data: { id, answer, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new Error(error));
    else resolve(answer);
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message ?? "the worker ended"));
  };
  data.views.forEach(({ samples, step, columns, pressure }, view) => {
    const packed = ["", ...columns].map((_, i) => {
      const holder = at(`column-${view}-${i}`);
      const text = holder.textContent;
      holder.remove();
      return text;
    });
    worker.postMessage({ load: { samples, step, columns, pressure, packed } });
  });
}

// The points of `curves` of a machine between two times, in about `bins` columns of
// pixels; `base` is what the axis has for the start of the run.
function points(view, curves, [from, to], bins, base) {
  const id = ++questions;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    const wanted = curves.map(({ column, above }) => ({ column, above }));
    worker.postMessage({ id, view, curves: wanted, from, to, bins, base });
  });
}

