// Unpacks plotly.js and runs it as the one script that the page's policy knows.

async function library() {
  document.head.append(element("script", await unpacked("library", "gzip")));
  if (!window.Plotly) throw new Error("plotly.js did not run");
}

