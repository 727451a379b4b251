// Beside the page: unpacks the samples and picks, for what is in view, the points that a
// screen can show. The other half of packing is `src/pack.rs`.
"use strict";

// Stands for a value that was not measured.
const MISSING = -0x80000000;
// A curve breaks where this many of its usual intervals passed without a value.
const GAP = 3;
// So many bands of pressure are drawn at most; near ones become one.
const BANDS = 100;

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
    for (let bin = 0; bin < bins; bin++) {
      let [first, least, greatest, final, low, high] = [-1, -1, -1, -1, 0, 0];
      for (let i = begins[bin]; i < begins[bin + 1]; i++) {
        const value = values[i];
        if (value === MISSING) continue;
        measured++;
        final = i;
        if (first < 0) {
          first = least = greatest = i;
          low = high = value;
        } else if (value < low) {
          least = i;
          low = value;
        } else if (value > high) {
          greatest = i;
          high = value;
        }
      }
      if (first < 0) continue;
      if (last >= 0 && times[first] - times[last] > gap) picked.push(-1);
      picked.push(Math.min(least, greatest));
      if (least !== greatest) picked.push(Math.max(least, greatest));
      last = final;
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

// Times of memory pressure in view: level, start and end. A level holds until the next
// sample, but not across a gap, where nobody knows it.
async function pressure(view, all, from, to) {
  if (view.pressure === null) return { bands: [], times: 0 };
  const levels = await column(view, view.pressure);
  const step = view.step / 1e3;
  const runs = [];
  const [start, end] = [Math.max(lowerBound(all, from) - 1, 0), lowerBound(all, to)];
  let open = null;
  for (let i = start; i < end; i++) {
    const level = levels[i] >= 4 ? 4 : levels[i] >= 2 ? 2 : 0;
    const next = i + 1 < all.length ? all[i + 1] : all[i];
    const until = Math.min(Math.max(next, all[i] + step), all[i] + 3 * step);
    if (open && open.level === level && all[i] <= open.end) open.end = until;
    else if (level) runs.push((open = { level, start: all[i], end: until }));
    else open = null;
  }
  let bands = runs;
  for (let reach = (to - from) / 1000; bands.length > BANDS; reach *= 2) bands = joined(runs, reach);
  return { bands, times: runs.length };
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
  if (view.samples === 0) return { curves: [], bands: [], times: 0 };
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
    postMessage({ id: data.id, answer: await bin(data) });
  } catch (error) {
    postMessage({ id: data.id, error: String(error.message ?? error) });
  }
};
