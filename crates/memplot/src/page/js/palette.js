// Colours and second cues: what is told apart by colour is told apart without it as well.

// Okabe and Ito, 2008: told apart with any colour vision.
const SAFE = {
  blue: "#0072B2", vermilion: "#D55E00", green: "#009E73", purple: "#CC79A7", orange: "#E69F00", sky: "#56B4E9",
  grey: "#8C8C8C",
};
const PALETTES = {
  "": {
    ram_free_gb: SAFE.blue, tree_rss_gb: SAFE.vermilion, tree_footprint_gb: SAFE.orange, ram_used_gb: SAFE.grey,
    swap_used_mb: SAFE.purple, cpu_sys: SAFE.orange, cpu_user: SAFE.sky, load_1: SAFE.green,
    gpu_device_util: SAFE.green, gpu_renderer_util: SAFE.purple, gpu_tiler_util: SAFE.orange,
    gpu_mem_used_gb: SAFE.blue, gpu_power_w: SAFE.vermilion,
    with_model: SAFE.blue, without_model: SAFE.sky, failed: SAFE.vermilion, error: SAFE.purple, skipped: SAFE.grey,
    load: SAFE.green, life: SAFE.sky, warmup: SAFE.orange, measure: SAFE.green, level: SAFE.green,
    info: SAFE.blue, warn: SAFE.orange, critical: SAFE.vermilion,
  },
  // Those of mlx-knife's timelines, for eyes that are used to them.
  reference: {
    ram_free_gb: "#3496EB", tree_rss_gb: "#FF9500", tree_footprint_gb: "#FF9500", ram_used_gb: "#8C8C8C",
    swap_used_mb: "#FF0000", cpu_sys: "#E74C3C", cpu_user: "#2ECC71", load_1: "#8E44AD",
    gpu_device_util: "#FF7F0E", gpu_renderer_util: "#2CA02C", gpu_tiler_util: "#9467BD",
    gpu_mem_used_gb: "#3496EB", gpu_power_w: "#E74C3C",
    with_model: "#A0A0A0", without_model: "#ADD8E6", failed: "#FF3B30", error: "#9467BD", skipped: "#C8C8C8",
    load: "#2CA02C", life: "#ADD8E6", warmup: "#FF9500", measure: "#34C759", level: "#34C759",
    info: "#3496EB", warn: "#FF9500", critical: "#FF3B30",
  },
};
// Of several GPUs.
const EACH = [SAFE.green, SAFE.purple, SAFE.orange, SAFE.blue, SAFE.vermilion, SAFE.sky];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

function color(key) {
  const gpu = /^gpu\.(\d+)$/.exec(key);
  if (gpu) return EACH[gpu[1] % EACH.length];
  return PALETTES[chosen.palette][key] ?? SAFE.grey;
}

function dash(curve) {
  const gpu = /^gpu\.(\d+)$/.exec(curve.key);
  if (gpu) return DASHES[gpu[1] % DASHES.length];
  return { dash: "dash", dot: "dot" }[curve.style] ?? "solid";
}

// Pattern, letter and name of each class of bars.
const LOOKS = {
  with_model: { name: "with model", letter: "" },
  without_model: { name: "without model", letter: "" },
  skipped: { name: "skipped", letter: "S ", pattern: "." },
  failed: { name: "failed", letter: "F ", pattern: "x" },
  error: { name: "error", letter: "E ", pattern: "\\" },
  life: { name: "in memory", letter: "" },
  load: { name: "load", letter: "", pattern: "/" },
  warmup: { name: "warm-up", letter: "", pattern: "/" },
  measure: { name: "measured", letter: "" },
  info: { name: "worth knowing", letter: "\u2003", symbol: "circle" },
  warn: { name: "figures may be off", letter: "\u2003", symbol: "triangle-up" },
  critical: { name: "something broke", letter: "\u2003", symbol: "x" },
};
const XLETTERS = { xfailed: "x ", xpassed: "X " };

