"""The timeline: how long memplot takes, how large its page is, and how soon a browser shows it."""

import json
import random
import statistics
import subprocess
import sys

from browser import Browser

# What the reference draws, with its shapes set at once: one by one they would take hours.
PLOTLY = """
import json, sys
import plotly.graph_objects as go
from plotly.subplots import make_subplots
samples, tests = [], []
for line in open(sys.argv[1]):
    line = json.loads(line)
    {"sample": samples, "test": tests}.get(line["record"], []).append(line)
rows = [["ram_free_gb", "tree_rss_gb", "swap_used_mb"], ["cpu_user", "cpu_sys", "load_1"],
        ["gpu_device_util", "gpu_renderer_util"], ["gpu_mem_used_gb", "gpu_power_w"]]
figure = make_subplots(rows=4, cols=1, shared_xaxes=True)
t0 = samples[0]["ts"]
x = [line["ts"] - t0 for line in samples]
for row, names in enumerate(rows, 1):
    for name in names:
        figure.add_trace(go.Scatter(x=x, y=[line.get(name) for line in samples], name=name), row=row, col=1)
figure.update_layout(
    shapes=[dict(type="rect", xref="x", yref="paper", x0=t["ts"] - t0, x1=t["end_ts"] - t0, y0=0, y1=1, opacity=0.2)
            for t in tests],
    annotations=[dict(x=t["ts"] - t0, y=1, yref="paper", text=t["case"], textangle=-90, showarrow=False) for t in tests])
figure.write_html(sys.argv[2])
"""


def generate(path, count, tests):
    """Samples with the noise that machines have: late by some microseconds, whole percents from the GPU,
    a load that changes every five seconds, memory that moves by megabytes."""
    rng = random.Random(4)
    head = {"v": 1, "run": "r", "host": "h"}
    each = max(count // tests, 2)
    t0, free, tree, swap, load, wave = 1_770_000_000.0, 40.0, 4.0, 0.0, 1.0, 0.0
    with path.open("w") as out:
        def line(record, ts, **fields):
            out.write(json.dumps({"record": record, **head, "ts": round(ts, 6), **fields}, separators=(",", ":")) + "\n")

        line("stream", t0, producer={"name": "memmon", "version": "0"}, interval_ms=200.0,
             clock={"wall_s": t0, "monotonic_s": 0.0}, machine={"gpus": [], "ram_total_gb": 68.719}, sources={})
        for i in range(count):
            test, at = divmod(i, each)
            busy = at > each // 8
            late = rng.expovariate(1 / 90) if rng.random() > 0.01 else rng.uniform(500, 3000)
            level = (18 + test % 9 * 1.5) if busy else 40
            if rng.random() < 0.5:
                free += (level - free) * 0.08 + rng.gauss(0, 0.004)
                tree += (44 - level - tree) * 0.08 + rng.gauss(0, 0.004)
            if i % 25 == 0:
                load += ((6 if busy else 1) - load) * 0.08
            if rng.random() < 0.002:
                swap = max(0.0, swap + rng.gauss(0, 30))
            # Load comes and goes over seconds, and flickers a little from one sample to the next.
            wave += (rng.gauss(0, 1) - wave) * 0.1
            user = max(0, (34 if busy else 3) + wave * 8 + rng.gauss(0, 1.2))
            system = max(0, (8 if busy else 1.5) + wave * 2 + rng.gauss(0, 0.6))
            gpu = (90 if busy else 3) + wave * 6
            device, renderer = (min(100, max(0, round(gpu + rng.gauss(0, 0.7)))) for _ in range(2))
            line("sample", t0 + i * 0.2 + late / 1e6, seq=i, elapsed_s=round(i * 0.2 + late / 1e6, 6), read_us=60,
                 late_us=round(late), ram_total_gb=68.719, ram_free_gb=round(free, 3), ram_used_gb=round(68.719 - free, 3),
                 swap_used_mb=round(swap, 1), swap_total_mb=4096.0, memory_pressure=2 if free < 19 and busy else 1,
                 load_1=round(load, 2), load_5=2.0, load_15=1.9, cpu_user=round(user, 1), cpu_sys=round(system, 1),
                 cpu_idle=round(max(0, 100 - user - system), 1), gpu_device_util=float(device),
                 gpu_renderer_util=float(renderer), gpu_tiler_util=float(renderer),
                 gpu_mem_used_gb=round(1 + tree * 0.9, 3), gpu_power_w=round(max(0.5, gpu * 0.4 + rng.gauss(0, 0.15)), 2),
                 tree_rss_gb=round(tree, 3))
            if at == each - 1:
                begin, end = t0 + (i - each + 2) * 0.2, t0 + i * 0.2
                outcome = rng.choices(["passed", "failed", "error", "skipped"], [95, 3, 1, 1])[0]
                used = {name: {"min": 1.0, "mean": 2.0, "p50": 2.0, "p95": 2.0, "max": round(rng.uniform(2, 30), 3)}
                        for name in ("tree_rss_gb", "ram_free_gb", "swap_used_mb", "gpu_device_util")}
                line("test", begin, id=f"nightly::case-{test % 40}[llama,model-{test % 9}]", suite="nightly",
                     case=f"case-{test % 40}", params={"backend": "llama", "model": f"model-{test % 9}"}, outcome=outcome,
                     end_ts=round(end, 6), duration_s=round(end - begin, 6), marks=[], checks=[],
                     resources={"samples": each, "coverage": 1.0, **used})


def empty_page(page, path):
    """A page that unpacks the same plotly.js, and draws nothing."""
    library = page.read_text().split('id="library">')[1].split("</script>")[0]
    path.write_text(
        f'<!doctype html><body><script type="text/plain" id="library">{library}</script><script>(async () => {{'
        'const packed = Uint8Array.from(atob(document.getElementById("library").textContent), (c) => c.charCodeAt(0));'
        'const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));'
        'const script = document.createElement("script"); script.textContent = await new Response(stream).text();'
        'document.head.append(script); performance.mark("drawn") })()</script>')


def opened(page):
    """Milliseconds until something is seen, and until the figure is drawn; the browser, which is still open."""
    browser = Browser()
    browser.open(page)
    drawn = browser.js("performance.getEntriesByName('drawn')[0].startTime")
    seen = browser.js("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    return seen, drawn, browser


# From a key to the redraw, and to when the frame with it is on the screen: the browser says
# that of a mark which is put on the page once everything is redrawn, and so is first seen
# together with it.
ZOOM = """(async () => {
  const start = performance.now();
  dispatchEvent(new KeyboardEvent('keydown', { key: '%s' }));
  while (document.documentElement.hasAttribute('data-busy')) await new Promise((done) => setTimeout(done));
  const redrawn = performance.now() - start;
  const mark = Object.assign(document.createElement('b'), { textContent: 'redrawn', style: 'position: fixed; top: 0' });
  mark.setAttribute('elementtiming', String(start));
  const seen = new Promise((done) => new PerformanceObserver((list, observer) => {
    const entry = list.getEntries().find((entry) => entry.identifier === String(start));
    if (!entry) return;
    observer.disconnect();
    done(entry.renderTime - start);
  }).observe({ type: 'element' }));
  document.body.append(mark);
  const both = [redrawn, await seen];
  mark.remove();
  await new Promise((done) => setTimeout(done, 100));
  return both;
})()"""
ZOOMS = {"in": "wwwwww", "moved": "dadada", "out": "sss", "all": "fwf"}


def in_the_browser(page, work, runs=5):
    empty = work / "empty.html"
    empty_page(page, empty)
    extra, seen, zooms = [], [], {kind: [] for kind in ZOOMS}
    for _ in range(runs):
        _, nothing, browser = opened(empty)
        browser.close()
        first, drawn, browser = opened(page)
        extra.append(drawn - nothing)
        seen.append(first)
        browser.js("new Promise((done) => setTimeout(done, 500))")
        for kind, keys in ZOOMS.items():
            zooms[kind] += [browser.js(ZOOM % key) for key in keys]
        nodes = browser.js("document.querySelectorAll('*').length")
        browser.close()

    def took(these, i):
        return f"{statistics.median(zoom[i] for zoom in these):.0f} ms (at most {max(zoom[i] for zoom in these):.0f})"

    every = [zoom for of_kind in zooms.values() for zoom in of_kind]
    kinds = ", ".join(f"{kind} {took(these, 1)}" for kind, these in zooms.items())
    return f"seen after {statistics.median(seen):.0f} ms, drawn {statistics.median(extra):.0f} ms after an empty page with " \
           f"plotly.js, {nodes:,} nodes\n  a zoom is redrawn in {took(every, 0)} and on the screen in {took(every, 1)}: {kinds}"


def drawing(work, binary, measured, samples, tests):
    for count, of_them in (5_800, 251), (samples, tests):
        stream, page = work / f"noisy-{count}-{of_them}.jsonl", work / f"timeline-{count}.html"
        if not stream.exists():
            print(f"making {stream.name} …", file=sys.stderr)
            generate(stream, count, of_them)
        taken = [measured([binary, stream, "-o", page]) for _ in range(7)]
        wall = statistics.median(run[0] for run in taken)
        print(f"timeline of {count:,} samples and {of_them:,} tests: {wall:.3f} s, {max(run[2] for run in taken):.0f} MB, "
              f"a page of {page.stat().st_size / 1e6:.2f} MB")
        print(f"  {in_the_browser(page, work)}")
        try:
            theirs = measured([sys.executable, "-c", PLOTLY, stream, work / "plotly.html"])
        except subprocess.CalledProcessError:
            print("  plotly.py did not finish")
            continue
        size = (work / "plotly.html").stat().st_size / 1e6
        print(f"  plotly.py {theirs[0]:.1f} s, {theirs[2]:.0f} MB, a page of {size:.1f} MB: ours takes 1/{theirs[0] / wall:.0f}")
