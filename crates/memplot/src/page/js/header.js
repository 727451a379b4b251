// What was run, on what, and what to be wary of.

function header() {
  at("title").textContent = data.title;
  for (const run of data.runs) {
    if (run.name) at("runs").append(element("h2", run.name));
    const facts = element("dl", undefined, { className: "facts" });
    for (const [label, text] of run.facts) {
      const fact = element("div");
      fact.append(element("dt", label), element("dd", text));
      facts.append(fact);
    }
    at("runs").append(facts);
    const warnings = [...run.warnings, ...run.advice];
    if (warnings.length) {
      const list = element("ul", undefined, { className: "warnings" });
      list.append(...warnings.map((text) => element("li", text)));
      at("runs").append(list);
    }
  }
  plot.setAttribute("aria-label", data.runs.map((run) => [run.name, run.label].filter(Boolean).join(": ")).join(" "));
  const missing = data.views.flatMap((view) => view.rows.filter((row) => row.missing)
    .map((row) => element("li", `${view.label ? `${view.label}, ` : ""}${row.title}: ${row.missing}`)));
  at("missing").append(...missing);
  at("missing").hidden = missing.length === 0;
  at("findings").hidden = anomalies.length === 0;
  at("findings-list").append(...anomalies.slice(0, 200).map((anomaly) => {
    const item = element("li");
    item.dataset.class = anomaly.class;
    const button = element("button", `${elapsed(anomaly.start)} ${anomaly.name}`, { type: "button", className: "badge" });
    button.addEventListener("click", () => zoomTo(anomaly));
    item.append(button, ` ${anomaly.about.join(" ")}`);
    return item;
  }));
  if (anomalies.length > 200) at("findings-list").append(element("li", `and ${grouped(anomalies.length - 200)} more.`));
}

