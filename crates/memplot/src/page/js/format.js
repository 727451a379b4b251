// Numbers, times and names as people read them.

const grouped = (number) => number.toLocaleString("en-US");
const counted = (number, one) => `${grouped(number)} ${one}${number === 1 ? "" : "s"}`;

// A duration in its two greatest units.
function duration(seconds) {
  const whole = Math.round(Math.max(seconds, 0));
  const [days, hours, minutes] = [whole / 86400, (whole / 3600) % 24, (whole / 60) % 60].map(Math.floor);
  const two = (number) => String(number).padStart(2, "0");
  if (seconds < 1) return `${Math.round(Math.max(seconds, 0) * 1e3)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  if (whole < 3600) return `${minutes} min ${two(whole % 60)} s`;
  if (whole < 86400) return `${hours} h ${two(minutes)} min`;
  return `${days} d ${hours} h`;
}

// Time since the start of the run.
function elapsed(ms) {
  const tenths = Math.round(Math.max(ms, 0) / 100);
  const [whole, two] = [Math.floor(tenths / 10), (number) => String(number).padStart(2, "0")];
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}.${tenths % 10}`;
}

// Text for plotly.js, which takes some tags in text for markup.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function shortened(text, most) {
  const letters = [...text];
  return letters.length > most ? `${letters.slice(0, most - 1).join("").trimEnd()}…` : text;
}

// The same in lines of at most so many characters.
function wrapped(text, width = 60) {
  const letters = [...text];
  const lines = [];
  for (let i = 0; i < letters.length; i += width) lines.push(plain(letters.slice(i, i + width).join("")));
  return lines.join("<br>");
}

