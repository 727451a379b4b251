// Beside the page: unpacks the samples and picks, for what is in view, the points that a
// screen can show. The other half of packing is `src/pack.rs`.
"use strict";

// Stands for a value that was not measured.
const MISSING = -0x80000000;
// A curve breaks where this many of its usual intervals passed without a value.
const GAP = 3;
// So many bands of pressure are drawn at most; near ones become one.
const BANDS = 100;
// Samples that are summed up together, so that a zoom does not go through all of them.
const BLOCK = 64;

// The machines of the page, each with its packed columns, unpacked when first needed.
const views = [];

function bytes(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const all = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) all[i] = text.charCodeAt(i);
  return all;
}

async function inflate(base64) {
  const stream = new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The numbers of a packed column, one after the other.
function numbers(packed) {
  let at = 0;
  return () => {
    let byte = packed[at++];
    if (byte < 0x80) return byte;
    let number = byte & 0x7f;
    let unit = 1;
    do {
      byte = packed[at++];
      unit *= 0x80;
      number += (byte & 0x7f) * unit;
    } while (byte >= 0x80);
    return number;
  };
}

// Zigzag: the sign is the lowest bit. Numbers go beyond 32 bits.
const signed = (number) => (number % 2 ? -(number + 1) / 2 : number / 2);

// Milliseconds after the start of the run.
function unpackTimes(packed, count, step) {
  const next = numbers(packed);
  next();
  next();
  const times = new Float64Array(count);
  let micros = 0;
  for (let i = 0; i < count; i++) {
    micros += signed(next()) + step;
    times[i] = micros / 1e3;
  }
  return times;
}

function unpackValues(packed, count) {
  const next = numbers(packed);
  const runs = Array.from({ length: next() }, next);
  const values = new Int32Array(count);
  let value = 0;
  let at = 0;
  runs.forEach((length, i) => {
    const end = at + length;
    if (i % 2) values.fill(MISSING, at, end);
    else for (let j = at; j < end; j++) values[j] = value += signed(next());
    at = end;
  });
  return values;
}

const times = (view) => (view.times ??= inflate(view.packed[0]).then((packed) => {
  view.packed[0] = null;
  return unpackTimes(packed, view.samples, view.step);
}));

// A column that others give is not carried.
async function derive(view, { same, less }) {
  if (same !== undefined) return column(view, same);
  const [all, part] = await Promise.all(less.map((index) => column(view, index)));
  return all.map((value, i) => (value === MISSING || part[i] === MISSING ? MISSING : value - part[i]));
}

function column(view, index) {
  const { derived } = view.columns[index];
  if (derived) return (view.unpacked[index] ??= derive(view, derived));
  return (view.unpacked[index] ??= inflate(view.packed[index + 1]).then((packed) => {
    view.packed[index + 1] = null;
    return unpackValues(packed, view.samples);
  }));
}

// A column on top of another. Not measured plus anything is not measured.
async function stacked(view, index, below) {
  const [upper, lower] = await Promise.all([column(view, index), column(view, below)]);
  return (view.sums[`${index}+${below}`] ??= upper.map((value, i) =>
    value === MISSING || lower[i] === MISSING ? MISSING : value + lower[i]));
}

// The first of `sorted` that is not below `value`.
function lowerBound(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Where each of `bins` bins of equal time begins among the samples, and where the last ends.
function bounds(times, from, to, bins) {
  const begins = new Int32Array(bins + 1);
  for (let i = 0; i < bins; i++) begins[i] = lowerBound(times, from + ((to - from) * i) / bins);
  let end = lowerBound(times, to);
  while (end < times.length && times[end] === to) end++;
  begins[bins] = end;
  return begins;
}

// What is known of some samples: the first and the last with a value, the least and the
// greatest of them, and how many there are.
const FIRST = 0, LAST = 1, LEAST = 2, GREATEST = 3, MEASURED = 4, FIGURES = 5;

// That of the samples from `start` to before `end`, by what is known of whole `blocks`. It
// runs through all samples at the first look and through thousands of blocks at each zoom:
// so it is plain.
function sumUp(values, start, end, blocks, into, at) {
  let first = -1, last = -1, least = -1, greatest = -1, measured = 0, low = 0, high = 0;
  let i = start;
  while (i < end) {
    if (blocks !== null && i % BLOCK === 0 && i + BLOCK <= end) {
      const block = (i / BLOCK) * FIGURES;
      i += BLOCK;
      if (blocks[block + MEASURED] === 0) continue;
      const [lowest, highest] = [blocks[block + LEAST], blocks[block + GREATEST]];
      if (first < 0) first = blocks[block + FIRST];
      last = blocks[block + LAST];
      if (measured === 0 || values[lowest] < low) low = values[(least = lowest)];
      if (measured === 0 || values[highest] > high) high = values[(greatest = highest)];
      measured += blocks[block + MEASURED];
      continue;
    }
    const value = values[i];
    if (value !== MISSING) {
      if (first < 0) first = i;
      last = i;
      if (measured === 0 || value < low) low = value, least = i;
      if (measured === 0 || value > high) high = value, greatest = i;
      measured++;
    }
    i++;
  }
  into[at + FIRST] = first;
  into[at + LAST] = last;
  into[at + LEAST] = least;
  into[at + GREATEST] = greatest;
  into[at + MEASURED] = measured;
}

// What is known of each whole block of a column, found once.
const allBlocks = new WeakMap();
function blocksOf(values) {
  let blocks = allBlocks.get(values);
  if (blocks) return blocks;
  blocks = new Int32Array(Math.floor(values.length / BLOCK) * FIGURES);
  for (let at = 0, i = 0; at < blocks.length; at += FIGURES, i += BLOCK) {
    sumUp(values, i, i + BLOCK, null, blocks, at);
  }
  allBlocks.set(values, blocks);
  return blocks;
}

// Which samples of a column to draw: all while they are few, else of each column of
// pixels the least and the greatest, so that every peak keeps its exact value. With a bin
// for each column the line between them covers the pixels that all samples would. -1 is a
// break. One sample more on either side leads out of the view.
function pick(times, values, begins, gap) {
  const bins = begins.length - 1;
  const [start, end] = [begins[0], begins[bins]];
  const picked = [];
  // The last sample with a value, picked or not: only before the next one can a gap be.
  let last = -1;
  const take = (i) => {
    if (last >= 0 && times[i] - times[last] > gap) picked.push(-1);
    picked.push(i);
    last = i;
  };
  for (let i = start - 1; i >= 0 && picked.length === 0; i--) if (values[i] !== MISSING) take(i);
  let measured = 0;
  if (end - start <= 2 * bins) {
    for (let i = start; i < end; i++) if (values[i] !== MISSING) take(i), measured++;
  } else {
    const blocks = blocksOf(values);
    const sum = new Int32Array(FIGURES);
    for (let bin = 0; bin < bins; bin++) {
      sumUp(values, begins[bin], begins[bin + 1], blocks, sum, 0);
      if (sum[MEASURED] === 0) continue;
      measured += sum[MEASURED];
      if (last >= 0 && times[sum[FIRST]] - times[last] > gap) picked.push(-1);
      const [one, other] = [Math.min(sum[LEAST], sum[GREATEST]), Math.max(sum[LEAST], sum[GREATEST])];
      picked.push(one);
      if (other !== one) picked.push(other);
      last = sum[LAST];
    }
  }
  const inside = picked.length;
  for (let i = end; i < values.length && picked.length === inside; i++) {
    if (values[i] !== MISSING) take(i);
  }
  return { picked, measured };
}

// The points of a curve. A break stands where the point before it does.
async function curve(view, { column: index, above }, base, begins, all) {
  const own = await column(view, index);
  const values = above === undefined ? own : await stacked(view, index, above);
  const { decimals, interval } = view.columns[index];
  const gap = interval === null ? Infinity : (GAP * interval) / 1e3;
  const { picked, measured } = pick(all, values, begins, gap);
  const unit = 10 ** decimals;
  const [x, y] = [new Float64Array(picked.length), new Float64Array(picked.length)];
  const read = above === undefined ? null : new Float64Array(picked.length);
  let drawn = 0;
  picked.forEach((i, at) => {
    if (i < 0) {
      x[at] = x[at - 1];
      y[at] = NaN;
      return;
    }
    drawn++;
    x[at] = base + all[i];
    y[at] = values[i] / unit;
    if (read) read[at] = own[i] / unit;
  });
  return { x, y, read, measured, drawn: Math.min(drawn, measured) };
}

// The times of memory pressure: level, start and end. A level holds until the next sample,
// but not across a gap, where nobody knows it.
async function pressed(view, all) {
  if (view.pressure === null) return [];
  const levels = await column(view, view.pressure);
  const step = view.step / 1e3;
  const runs = [];
  let open = null;
  for (let i = 0; i < all.length; i++) {
    const level = levels[i] >= 4 ? 4 : levels[i] >= 2 ? 2 : 0;
    const next = i + 1 < all.length ? all[i + 1] : all[i];
    const until = Math.min(Math.max(next, all[i] + step), all[i] + 3 * step);
    if (open && open.level === level && all[i] <= open.end) open.end = until;
    else if (level) runs.push((open = { level, start: all[i], end: until }));
    else open = null;
  }
  return runs;
}

// Those in view as bands, how many they are, and the levels that there ever are.
async function pressure(view, all, from, to) {
  const runs = await (view.pressed ??= pressed(view, all));
  const seen = runs.filter((run) => run.end >= from && run.start <= to);
  let bands = seen;
  for (let reach = (to - from) / 1000; bands.length > BANDS; reach *= 2) bands = joined(seen, reach);
  return { bands, times: seen.length, levels: [2, 4].filter((level) => runs.some((run) => run.level === level)) };
}

function joined(runs, reach) {
  const bands = [];
  for (const level of [2, 4]) {
    let last = null;
    for (const run of runs) {
      if (run.level !== level) continue;
      if (last && run.start - last.end <= reach) last.end = run.end;
      else bands.push((last = { ...run }));
    }
  }
  return bands;
}

async function bin({ view: index, curves, base, from, to, bins }) {
  const view = views[index];
  if (view.samples === 0) return { curves: [], bands: [], levels: [], times: 0 };
  const all = await times(view);
  const begins = bounds(all, from, to, bins);
  const points = await Promise.all(curves.map((one) => curve(view, one, base, begins, all)));
  return { curves: points, ...(await pressure(view, all, from, to)) };
}

onmessage = async ({ data }) => {
  if (data.load) {
    views.push({ ...data.load, unpacked: [], sums: {} });
    return;
  }
  try {
    const answer = await bin(data);
    postMessage({ id: data.id, answer }, answer.curves.flatMap(({ x, y, read }) => [x, y, read ?? []]).flatMap(({ buffer }) => buffer ?? []));
  } catch (error) {
    postMessage({ id: data.id, error: String(error.message ?? error) });
  }
};
