// The tests as a table, a page of it at a time: ten thousand rows are more than a browser
// draws at once.

const PAGE = 100;
let first = 0;
let listed = [];

const MEASURES = [
  ["Tree peak", "tree_gb", "GB", 3],
  ["Least free", "free_gb", "GB", 3],
  ["Max swap", "swap_mb", "MB", 1],
  ["Max GPU", "gpu_pct", "%", 1],
];
const measures = MEASURES.filter(([, key]) => tests.some((test) => test[key] !== undefined));

function tableHead() {
  const head = element("tr");
  const columns = ["Test", "Model", "Outcome"].map((name) => [name, ""]);
  columns.push(...["Start", "Duration", ...measures.map(([name]) => name)].map((name) => [name, "figure"]));
  head.append(...columns.map(([name, className]) => element("th", name, { scope: "col", className })));
  at("rows").querySelector("thead").append(head);
  const joined = data.runs.some((run) => run.joined);
  const lacking = MEASURES.filter((measure) => !measures.includes(measure)).map(([name]) => name);
  const note = joined
    ? lacking.length ? `Not measured: ${lacking.join(", ")}.` : ""
    : "What each test used is not in this stream: pipe it through correlate first.";
  at("note").textContent = note;
  at("note").hidden = !note;
  at("tests").hidden = tests.length === 0;
}

function tableRow(test) {
  const line = element("tr");
  line.dataset.class = test.class;
  if (test === chosen.test) line.setAttribute("aria-selected", "true");
  const name = element("td");
  name.append(element("button", test.id, { type: "button", title: "Zoom to this test" }));
  const outcome = element("td");
  outcome.append(element("span", test.outcome, { className: "badge" }));
  if (test.reason) outcome.append(element("span", test.reason, { className: "reason" }));
  const run = compared ? `${data.views[test.view].label} ` : "";
  const figures = [
    run + elapsed(test.start),
    test.took === undefined ? "not measured" : duration(test.took),
    ...measures.map(([, key, unit, digits]) => (test[key] === undefined ? "–" : `${test[key].toFixed(digits)} ${unit}`)),
  ];
  line.append(name, element("td", test.model ?? "–"), outcome);
  line.append(...figures.map((text) => element("td", text, { className: "figure" })));
  line.addEventListener("click", () => {
    if (String(getSelection()) === "") select(test);
  });
  return line;
}

// Shows the page of the table that begins with that test, of those that the filters leave.
function fillTable(from = 0) {
  listed = tests.filter(isShown);
  first = Math.max(0, Math.min(from, listed.length - 1));
  first -= first % PAGE;
  const page = listed.slice(first, first + PAGE);
  at("rows").querySelector("tbody").replaceChildren(...page.map(tableRow));
  const all = listed.length === tests.length ? "" : ` of ${grouped(tests.length)}`;
  at("count").textContent = listed.length > PAGE
    ? `${grouped(first + 1)} to ${grouped(first + page.length)} of ${counted(listed.length, "test")}${all && `, ${grouped(tests.length)} in all`}`
    : `${counted(listed.length, "test")}${all}`;
  at("previous").disabled = first === 0;
  at("next").disabled = first + PAGE >= listed.length;
  at("previous").hidden = at("next").hidden = listed.length <= PAGE;
}

// Zooms to a test and shades it in every row.
function select(test) {
  chosen.test = test;
  fillTable(Math.max(0, tests.filter(isShown).indexOf(test)));
  at("rows").querySelector("tr[aria-selected]")?.scrollIntoView({ block: "nearest" });
  zoomTo(test);
}

// The test after or before the one that is selected, else in view.
function step(by) {
  const order = [...listed].sort((a, b) => a.start - b.start);
  if (order.length === 0) return;
  let index = order.indexOf(chosen.test);
  if (index < 0) index = order.findIndex((test) => test.start >= chosen.range[0]) - (by > 0 ? 1 : 0);
  select(order[Math.min(Math.max(index + by, 0), order.length - 1)]);
}

// Zooms to something, with room on both sides.
function zoomTo({ start, end }) {
  const room = Math.max((end - start) * 0.5, whole[1] / 500);
  return show([start - room, end + room]);
}

