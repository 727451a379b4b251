// The page of a timeline: header and table at once, the figure when plotly.js is
// unpacked. Text from outside is only ever text: it goes in by textContent, and what
// plotly.js gets is escaped for it.

const root = document.documentElement;
const at = (id) => document.getElementById(id);
const plot = at("plot");
const narrow = matchMedia("(max-width: 600px)");
const darkness = matchMedia("(prefers-color-scheme: dark)");

function element(name, text, properties = {}) {
  const made = Object.assign(document.createElement(name), properties);
  if (text !== undefined) made.textContent = text;
  return made;
}

// What is packed in the element of that id, as text.
async function unpacked(id, format) {
  const packed = Uint8Array.from(atob(at(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream(format));
  return new Response(stream).text();
}

// The format of picture that is wanted, by memplot itself.
const format = /[#&]export=(png|svg)/.exec(location.hash)?.[1];

// Has the browser wait, so that who takes a picture of the page once it is loaded has the
// figure in it: a page is loaded when all of its frames are. What this returns ends the wait.
function hold() {
  const frame = element("iframe", undefined, { hidden: true, title: "" });
  document.body.append(frame);
  frame.contentDocument.open();
  return () => {
    frame.contentDocument?.close();
    frame.remove();
  };
}
const release = hold();

// Words in place of the figure.
function say(text) {
  plot.replaceChildren(element("p", text, { id: "state" }));
}

// Whatever fails before there is a figure is said in its place. Here, for to unpack the page,
// which comes next, is what older browsers fail at.
addEventListener("unhandledrejection", ({ reason }) => {
  release();
  if (root.dataset.drawn) return;
  say(`The figure cannot be drawn: ${reason?.message ?? reason}. A browser of 2023 or later can.`);
  mark("failed");
});

const data = JSON.parse(await unpacked("data", "deflate-raw"));

function style(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}

// Every test of the page, with the machine that it ran on.
const tests = data.views.flatMap((view, index) =>
  view.tests.map((test) => Object.assign(test, { view: index })));
const anomalies = data.views.flatMap((view) => view.anomalies);

