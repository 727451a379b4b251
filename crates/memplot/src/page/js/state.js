// What the reader chose. It stands in the URL, so that a link shows the same view.

const compared = data.runs.length > 1;
// The whole run, in milliseconds after its start. A run of an instant has a width too.
const whole = [0, Math.max(1, ...data.runs.map((run) => run.span))];

const chosen = {
  range: [...whole],
  text: "",
  model: "",
  outcome: "",
  infra: true,
  clock: "elapsed",
  theme: "",
  palette: "",
  hidden: null,
  test: null,
};

const curveKey = (curve) => curve.key + (curve.right ? ".right" : "") + curve.name;

function readHash() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const number = (name, otherwise) => {
    const value = Number.parseFloat(hash.get(name));
    return Number.isFinite(value) ? value * 1e3 : otherwise;
  };
  const one = (name, allowed) => (allowed.includes(hash.get(name)) ? hash.get(name) : allowed[0]);
  chosen.range = within([number("from", whole[0]), number("to", whole[1])]);
  for (const name of ["text", "model", "outcome"]) chosen[name] = hash.get(name) ?? "";
  chosen.infra = hash.get("infra") !== "off";
  chosen.clock = compared ? "elapsed" : one("clock", ["elapsed", "wall"]);
  chosen.theme = one("theme", ["", "light", "dark"]);
  chosen.palette = one("palette", ["", "reference"]);
  chosen.hidden = hash.has("hidden") ? new Set(hash.get("hidden").split(",").filter(Boolean)) : null;
  chosen.test = tests.find((test) => test.id === hash.get("test")) ?? null;
}

function writeHash() {
  const hash = new URLSearchParams();
  const seconds = (ms) => String(Math.round(ms * 1e3) / 1e6);
  if (chosen.range[0] > whole[0]) hash.set("from", seconds(chosen.range[0]));
  if (chosen.range[1] < whole[1]) hash.set("to", seconds(chosen.range[1]));
  for (const name of ["text", "model", "outcome", "theme", "palette"]) {
    if (chosen[name]) hash.set(name, chosen[name]);
  }
  if (!chosen.infra) hash.set("infra", "off");
  if (chosen.clock !== "elapsed") hash.set("clock", chosen.clock);
  if (chosen.hidden) hash.set("hidden", [...chosen.hidden].join(","));
  if (chosen.test) hash.set("test", chosen.test.id);
  written = hash.size ? `#${hash}` : "";
  if (location.hash !== written) history.replaceState(null, "", written || location.pathname);
}
let written = location.hash;

// The least that a view shows, in milliseconds: some samples wide.
const LEAST = 5;

// `range` with its ends in order, not too narrow, and inside of the run.
function within([from, to]) {
  const width = Math.min(Math.max(to - from, LEAST), whole[1]);
  const start = Math.min(Math.max(from, 0), whole[1] - width);
  return [start, start + width];
}

function isShown(test) {
  const { text, model, outcome, infra } = chosen;
  return (infra || test.class !== "without_model")
    && (!model || test.model === model)
    && (!outcome || test.outcome === outcome)
    && (!text || [test.id, test.model, test.backend, test.reason]
      .some((part) => part?.toLowerCase().includes(text.toLowerCase())));
}

