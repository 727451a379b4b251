// The page of a timeline: header and table at once, the figure when plotly.js is
// unpacked. Text from outside is only ever text: it goes in by textContent, and what
// plotly.js gets is escaped for it.

const root = document.documentElement;
const at = (id) => document.getElementById(id);
const data = JSON.parse(at("data").textContent);
const plot = at("plot");
const narrow = matchMedia("(max-width: 600px)");
const darkness = matchMedia("(prefers-color-scheme: dark)");

function element(name, text, properties = {}) {
  const made = Object.assign(document.createElement(name), properties);
  if (text !== undefined) made.textContent = text;
  return made;
}

function style(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}

// Every test of the page, with the machine that it ran on.
const tests = data.views.flatMap((view, index) =>
  view.tests.map((test) => Object.assign(test, { view: index })));
const anomalies = data.views.flatMap((view) => view.anomalies);

