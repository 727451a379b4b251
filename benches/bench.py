"""Measures the tools beside what a user would otherwise take. Run by `just bench`."""

import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

import batching
import drawing
import measuring
import reporting
import running

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "target/release"
WORK = ROOT / "target/bench/work"
SAMPLES = int(os.environ.get("SAMPLES", 1_000_000))
TESTS = int(os.environ.get("TESTS", 10_000))
INTERVAL = 0.2

PSUTIL_LOOP = """
import psutil, resource, sys, time
ZOMBIES = len(sys.argv) > 2
t0 = time.monotonic(); n = 0; end = float(sys.argv[1])
while n * 0.2 < end:
    time.sleep(max(0, t0 + n * 0.2 - time.monotonic()))
    psutil.virtual_memory(); psutil.swap_memory(); psutil.getloadavg(); psutil.cpu_times_percent()
    if n % 5 == 0 and ZOMBIES:
        sum(process.info["status"] == psutil.STATUS_ZOMBIE for process in psutil.process_iter(["status"]))
    n += 1
    if n == 1: before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
print((sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - before) / (n - 1) * 1e3)
"""


def measured(command):
    """Seconds, CPU seconds and peak memory in MB of a command, as memmon sees them.

    Not by wait4 from here: on Linux ru_maxrss of a child starts from that of the
    process that forks it, and Python is larger than what is measured.
    """
    out = WORK / "measured.jsonl"
    subprocess.run([BIN / "memmon", "-i", "1000", "-o", out, "--", *command], check=True)
    summary = json.loads(out.read_text().splitlines()[-1])
    used = summary["child"]["rusage"]
    return summary["duration_s"], used["user_s"] + used["sys_s"], used["max_rss_gb"] * 1e3


def kept_files():
    """The files that memmon reads for every sample, but for those of processes: what it keeps open,
    less the limits of control groups, which it reads once a second, and groups above its own."""
    memmon = subprocess.Popen([BIN / "memmon", "-d", "2", "-o", "/dev/null"])
    time.sleep(1)
    links = {os.readlink(link) for link in pathlib.Path(f"/proc/{memmon.pid}/fd").iterdir()}
    memmon.wait()
    groups = {}
    for link in sorted(links, key=len):
        if pathlib.Path(link).name in ("memory.usage_in_bytes", "memory.memsw.usage_in_bytes",
                                       "memory.current", "memory.swap.current"):
            groups[pathlib.Path(link).name] = link
    fixed = [link for link in links if link.startswith("/proc/") and not link.endswith("/statm")
             and pathlib.Path(link).is_file()]
    return sorted(fixed) + sorted(groups.values())


def lateness(lines):
    """Milliseconds that 99 % of the samples were late at most."""
    late = sorted(line.get("late_us", 0) for line in lines if line["record"] == "sample")
    return late[int(len(late) * 0.99)] / 1e3


def sampled(*options):
    """The lines of a run of memmon."""
    out = WORK / "sampled.jsonl"
    subprocess.run([BIN / "memmon", "-o", out, *options], check=True, stdout=subprocess.DEVNULL)
    return [json.loads(line) for line in out.open()]


def cost_ms(lines):
    """CPU time of one sample, start-up included."""
    own = lines[-1]["self"]
    return (own["user_s"] + own["sys_s"]) / lines[-1]["samples"] * 1e3


def sampling(seconds=60):
    """One sample at 200 ms, beside a psutil loop and a loop that only reads the files: all three at once."""
    files = kept_files()
    loops = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in (
        [sys.executable, "-c", PSUTIL_LOOP, str(seconds)],
        [sys.executable, "-c", PSUTIL_LOOP, str(seconds), "zombies"],
        [BIN / "examples/pread_loop", str(seconds), *files])]
    lines = sampled("-d", str(seconds))
    psutil, same, bare = (float(loop.communicate()[0]) for loop in loops)
    ours = cost_ms(lines)
    print(f"one sample at 200 ms   memmon {ours:.3f} ms of CPU, psutil loop {same:.3f} ms: {ours / same:.2f}x "
          f"(without zombies {psutil:.3f} ms: {ours / psutil:.2f}x), bare loop over {len(files)} files {bare:.3f} ms: {ours / bare:.2f}x; "
          f"at most {lines[-1]['self']['max_rss_mb']:.1f} MB")
    achieved = lines[-1]["achieved"]
    print(f"interval at 200 ms     mean {achieved['mean_ms']:.3f} ms, 99 % at most {lateness(lines):.1f} ms late, "
          f"{lines[-1]['missed']} missed")
    others = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count())]
    try:
        busy = sampled("-d", str(seconds))
    finally:
        for other in others:
            other.kill()
    print(f"  with all cores busy  mean {busy[-1]['achieved']['mean_ms']:.3f} ms, 99 % at most "
          f"{lateness(busy):.1f} ms late, {busy[-1]['missed']} missed")
    ends = [sampled("-i", "2", "-d", "10")[-1] for _ in range(5)]
    missed = sorted(end["missed"] / (end["missed"] + end["samples"]) for end in ends)
    print(f"interval at 2 ms       {missed[2]:.2%} missed, the median of five runs, {missed[-1]:.2%} the worst")
    tree = sampled("--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 30 & done; wait")
    print(f"with a tree of 10      {cost_ms(tree):.3f} ms of CPU a sample")
    wide = subprocess.check_output([BIN / "examples/wide_tree", "2000"], text=True)
    print(f"with a tree of 2,000   {wide.strip()}")


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def relaying(runs=11):
    """200 MB of JSON lines through memmon and through cat, by turns; idle and with all cores busy."""
    line = json.dumps({"record": "test", "ts": 1.5, "pad": "x" * 100})
    lines, script = WORK / "lines.jsonl", WORK / "lines.sh"
    script.write_text(f"yes '{line}' | head -c 200000000\n")
    with lines.open("w") as out:
        subprocess.run(["sh", script], stdout=out, check=True)
    for producer, command in ("yes", f"sh {script}"), ("cat of a file", f"cat {lines}"):
        for setting, load in ("idle", 0), ("busy", os.cpu_count()):
            others = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(load)]
            try:
                times = [(seconds(f"{BIN}/memmon -- {command} | wc -l"), seconds(f"{command} | cat | wc -l"))
                         for _ in range(runs)]
            finally:
                for other in others:
                    other.kill()
            ours, cat = zip(*times)
            ratio = statistics.median(ours) / statistics.median(cat)
            print(f"200 MB by {producer}, {setting}   memmon {statistics.median(ours):.3f} s (at most {max(ours):.3f}), "
                  f"| cat {statistics.median(cat):.3f} s (at most {max(cat):.3f}): {ratio:.2f}x")


def generate(path, samples, tests):
    """A stream as memmon and the runner write it: so many tests over so many samples."""
    head = {"v": 1, "run": "r", "host": "h"}
    each = samples // tests
    t0 = 1_770_000_000.0
    with path.open("w") as out:
        def line(record, ts, **fields):
            out.write(json.dumps({"record": record, **head, "ts": round(ts, 6), **fields}, separators=(",", ":")) + "\n")

        line("stream", t0, producer={"name": "memmon", "version": "0"}, interval_ms=200.0,
             clock={"wall_s": t0, "monotonic_s": 0.0}, machine={"gpus": []}, sources={})
        line("run_start", t0, producer={"name": "runner", "version": "0"}, suite="s", file="s.toml", selected=[])
        for i in range(samples):
            ts = t0 + i * INTERVAL
            test, at = divmod(i, each)
            begin = t0 + test * each * INTERVAL + 0.05
            if at == 1:
                line("begin", begin, id=f"s::t{test}", params={"model": "m"})
            wave = math.sin(i / 50)
            line("sample", ts, seq=i, elapsed_s=round(i * INTERVAL, 6), read_us=60, late_us=80,
                 ram_total_gb=68.719, ram_free_gb=round(30 + 5 * wave, 3), ram_used_gb=round(38.7 - 5 * wave, 3),
                 swap_used_mb=1524.0, swap_total_mb=4096.0, memory_pressure=1, load_1=2.01, load_5=2.0, load_15=1.9,
                 cpu_user=round(40 + 10 * wave, 1), cpu_sys=5.1, cpu_idle=round(54.9 - 10 * wave, 1),
                 gpu_device_util=round(50 + 40 * wave, 1), gpu_mem_used_gb=12.345, tree_rss_gb=round(9 + wave, 3),
                 tree_procs=3)
            if at == each - 1:
                end = begin + (each - 2) * INTERVAL
                line("test", begin, id=f"s::t{test}", suite="s", case=f"t{test}", params={"model": "m"},
                     outcome="passed", end_ts=round(end, 6), duration_s=round(end - begin, 6), marks=[], checks=[])


def stream_of(samples, tests):
    stream = WORK / f"compact-{samples}-{tests}.jsonl"
    if not stream.exists():
        print(f"making {stream.name} …", file=sys.stderr)
        generate(stream, samples, tests)
    return stream


def alternating(commands, runs=7):
    """Median seconds and most memory in MB of each command, run by turns."""
    taken = [[measured(command) for command in commands] for _ in range(runs)]
    return [(statistics.median(run[i][0] for run in taken), max(run[i][2] for run in taken))
            for i in range(len(commands))]


def numbers_of(samples):
    """The names of what a join needs of a sample: its time, its number and its series."""
    with samples.open() as lines:
        sample = json.loads(next(lines))
    about = ("v", "elapsed_s", "read_us", "late_us")
    return [name for name, value in sample.items() if isinstance(value, (int, float)) and name not in about]


def joining():
    stream = stream_of(SAMPLES, TESTS)
    samples, tests = WORK / "samples.jsonl", WORK / "tests.jsonl"
    with stream.open() as lines, samples.open("w") as s, tests.open("w") as t:
        for line in lines:
            if '"record":"sample"' in line:
                s.write(line)
            elif '"record":"test"' in line:
                t.write(line)
    query = f"""
        import duckdb
        duckdb.sql('''
            COPY (SELECT t.id, count(*), min(s.ram_free_gb), avg(s.ram_free_gb), max(s.ram_free_gb),
                         max(s.swap_used_mb), avg(s.gpu_device_util), max(s.gpu_device_util), max(s.tree_rss_gb)
                  FROM read_json('{tests}', format='newline_delimited') t
                  JOIN read_json('{samples}', format='newline_delimited') s
                    ON s.ts >= t.ts AND s.ts < t.end_ts GROUP BY t.id)
            TO '{WORK / "duck.csv"}' ''')
    """
    query = "\n".join(line.strip() for line in query.splitlines())
    joined = WORK / "joined.jsonl"
    # A scan that misses what it should read is no yardstick.
    scans = [[BIN / "examples/plain_scan", stream, *numbers_of(samples)], [BIN / "examples/scan", stream]]
    (plain_lines, _), (our_lines, _) = (subprocess.check_output(scan, text=True).split(" samples, ") for scan in scans)
    assert int(plain_lines) == int(our_lines) == SAMPLES, f"{plain_lines} and {our_lines} samples of {SAMPLES}"
    # To nowhere, as the scan writes nothing: emptying a file that is there takes the disk a tenth of the join's time.
    duck, plain, scan, only, found, whole = alternating([
        [sys.executable, "-c", query],
        *scans,
        [BIN / "correlate", stream, "--tests-only", "-o", "/dev/null"],
        [BIN / "correlate", stream, "-o", "/dev/null"],
        [BIN / "correlate", stream, "-o", joined]], runs=21)
    print(f"join of {TESTS:,} tests and {SAMPLES:,} samples ({stream.stat().st_size / 1e6:.0f} MB)")
    print(f"  DuckDB's range join  {duck[0]:.3f} s, {duck[1]:.0f} MB; ours is {duck[0] / only[0]:.1f}x as fast")
    print(f"  a bare scan          {plain[0]:.3f} s; ours takes {only[0] / plain[0]:.2f}x")
    print(f"  our own scan         {scan[0]:.3f} s, {scan[0] / plain[0]:.2f}x of that; the join takes {only[0] / scan[0]:.2f}x of it")
    print(f"  correlate            {only[0]:.3f} s, {only[1]:.1f} MB, all series and quantiles; with what it finds out "
          f"{found[0]:.3f} s, {found[1]:.1f} MB; {whole[0]:.3f} s when it writes every line again into a file")
    small, large, dense = alternating([
        [BIN / "correlate", path, "--tests-only", "-o", "/dev/null"]
        for path in (stream_of(SAMPLES // 10, TESTS // 10), stream, stream_of(SAMPLES, 10 * TESTS))], runs=5)
    print(f"  10 times the lines   {large[0] / small[0]:.1f}x the time; {small[1]:.1f} and {large[1]:.1f} MB")
    print(f"  10 times the tests   {dense[0]:.2f} s, {dense[1]:.1f} MB")
    report = measured([BIN / "reportgen", joined, "-o", WORK / "report.md"])
    print(f"report of it           {report[0]:.2f} s, {report[2]:.0f} MB")
    check = measured([BIN / "validate", joined])
    print(f"validating it          {check[0]:.2f} s, {check[2]:.0f} MB")


def piped(tests=200):
    """Milliseconds from the first sample after the end of a test to its joined line, in a live pipe."""
    joiner = subprocess.Popen([BIN / "correlate", "--tests-only"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    head = {"v": 1, "run": "r", "host": "h"}

    def line(record, ts, **fields):
        joiner.stdin.write(json.dumps({"record": record, **head, "ts": ts, **fields}).encode() + b"\n")
        joiner.stdin.flush()

    line("stream", 0.0, interval_ms=200.0)
    line("run_start", 0.0)
    took = []
    for test in range(tests):
        for at in range(6):
            ts = (6 * test + at) * INTERVAL
            if at == 5:
                line("test", ts - 5 * INTERVAL, id=f"t{test}", end_ts=ts)
                time.sleep(0.005)
                since = time.perf_counter()
            line("sample", ts, seq=6 * test + at, elapsed_s=ts, ram_used_gb=8.0, cpu_user=50.0)
        assert f'"t{test}"' in joiner.stdout.readline().decode()
        took.append((time.perf_counter() - since) * 1e3)
    joiner.stdin.close()
    joiner.wait()
    took.sort()
    print(f"joined line after the first sample behind a test's end  p50 {took[len(took) // 2]:.2f} ms, "
          f"p99 {took[int(len(took) * 0.99)]:.2f} ms, at most {took[-1]:.2f} ms")


def reports():
    reporting.beside_the_join(BIN, WORK, stream_of, measured)


def running_cells():
    due, due_p99, done, done_p99 = running.overhead(WORK)
    print("runner, one request at a time, against a server that answers at once")
    print(f"  result written to next request at the server  p50 {due:.2f} ms, p99 {due_p99:.2f} ms")
    print(f"  last byte of an answer to its result written   p50 {done:.2f} ms, p99 {done_p99:.2f} ms")
    print(f"  25 models x 8 cases                            {running.cell_cost(WORK, measured):.2f} ms of CPU a cell")


def benches():
    print("a bench of llama.cpp, beside what the server says of itself (medians of 15)")
    for tokens, prompt, generation, late, verdict in measuring.against_the_server(WORK):
        print(f"  a prompt of {tokens} tokens: prompt tok/s {prompt:+.2f} %, generation tok/s {generation:+.2f} %, "
              f"first token {late:.2f} ms after the server had it, {verdict['state']} {'; '.join(verdict['reasons'])}")


def timelines():
    drawing.drawing(WORK, BIN / "memplot", measured, SAMPLES, TESTS)


def batches():
    batching.wire(WORK, measured)
    batching.memory(WORK, measured)


def beside_guidellm():
    batching.beside_guidellm(WORK, measured)


def collecting():
    """The ids of 100,000 cells: 10 backends with 20 models each, 100 cases of 5 combinations."""
    suite = WORK / "large.toml"
    with suite.open("w") as out:
        out.write("suite = 1\nname = 'large'\nmarks = { smoke = 'quick' }\n")
        for b in range(10):
            out.write(f"[backend.b{b}]\nkind = 'llama-server'\n")
        for m in range(20):
            on = ", ".join(f"b{b} = {{ path = 'm{m}.gguf', size_gb = {m + 1} }}" for b in range(10))
            out.write(f"[[model]]\nid = 'model-{m}'\nmodality = ['text']\non = {{ {on} }}\n")
        for c in range(100):
            out.write(f"[[case]]\nname = 'case-{c}'\nneeds = ['text']\nmarks = ['smoke']\n"
                      f"request = {{ api = 'chat', prompt = 'Say {{n}}.', max_tokens = 16 }}\n"
                      f"expect = [{{ status = 200 }}, {{ text = {{ regex = '\\w+' }} }}]\n"
                      f"parametrize.n = [1, 2, 3, 4, 5]\n")
    ids = WORK / "ids.txt"
    for what, *options in (["all of them"], ["-k and -m", "-k", "case-7 and not model-1", "-m", "smoke"],
                           ["a fourth", "--shard", "2/4"]):
        wall, cpu, peak = measured([BIN / "runner", suite, "--collect-only", "-o", ids, *options])
        print(f"collecting 100,000 cells, {what}: {wall:.2f} s, {cpu:.2f} s of CPU, {peak:.0f} MB, "
              f"{len(ids.read_text().splitlines()):,} ids")
    # As many ids on the command line as a shell takes: each is looked up, not searched for.
    some = [f"{suite}::{line.split('::')[1]}" for line in ids.read_text().splitlines()[:10_000]]
    wall, cpu, peak = measured([BIN / "runner", *some, "--collect-only", "-o", ids])
    print(f"  10,000 of them by id: {wall:.2f} s, {cpu:.2f} s of CPU, {peak:.0f} MB")


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    # Some of them, by name, or all.
    parts = {"sampling": sampling, "relaying": relaying, "joining": joining, "piped": piped,
             "reporting": reports, "running": running_cells, "collecting": collecting,
             "measuring": benches, "batching": batches, "drawing": timelines}
    # What fetches 5.9 GB is done only when it is asked for.
    large = {"guidellm": beside_guidellm}
    for part in sys.argv[1:] or parts:
        (parts | large)[part]()
