"""Measures the tools beside what a user would otherwise take. Run by `just bench`."""

import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "target/release"
WORK = ROOT / "target/bench/work"
SAMPLES = int(os.environ.get("SAMPLES", 1_000_000))
TESTS = int(os.environ.get("TESTS", 10_000))
INTERVAL = 0.2

PSUTIL_LOOP = """
import psutil, resource, sys, time
t0 = time.monotonic(); n = 0; end = float(sys.argv[1])
while n * 0.2 < end:
    time.sleep(max(0, t0 + n * 0.2 - time.monotonic()))
    psutil.virtual_memory(); psutil.swap_memory(); psutil.getloadavg(); psutil.cpu_times_percent()
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


def sampling(seconds=20):
    """CPU time of one sample at 200 ms: memmon's, start-up included, and a psutil loop's, without."""
    out = WORK / "idle.jsonl"
    subprocess.run([BIN / "memmon", "-d", str(seconds), "-o", out], check=True)
    summary = json.loads(out.read_text().splitlines()[-1])
    own = summary["self"]
    ours = (own["user_s"] + own["sys_s"]) / summary["samples"] * 1e3
    theirs = float(subprocess.check_output([sys.executable, "-c", PSUTIL_LOOP, str(seconds)]))
    print(f"one sample at 200 ms   memmon {ours:.3f} ms of CPU, psutil loop {theirs:.3f} ms: "
          f"{ours / theirs:.2f}x; memmon at most {own['max_rss_mb']:.1f} MB")
    achieved = summary["achieved"]
    print(f"interval at 200 ms     mean {achieved['mean_ms']:.3f} ms, 99th percentile "
          f"{achieved['p99_ms']:.1f} ms, {summary['missed']} missed")


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


def generate(path):
    """A stream as memmon and the runner write it: TESTS tests over SAMPLES samples."""
    head = {"v": 1, "run": "r", "host": "h"}
    each = SAMPLES // TESTS
    t0 = 1_770_000_000.0
    with path.open("w") as out:
        def line(record, ts, **fields):
            out.write(json.dumps({"record": record, **head, "ts": round(ts, 6), **fields}) + "\n")

        line("stream", t0, producer={"name": "memmon", "version": "0"}, interval_ms=200.0,
             clock={"wall_s": t0, "monotonic_s": 0.0}, machine={"gpus": []}, sources={})
        line("run_start", t0, producer={"name": "runner", "version": "0"}, suite="s", file="s.toml", selected=[])
        for i in range(SAMPLES):
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


def joining():
    stream = WORK / f"stream-{SAMPLES}-{TESTS}.jsonl"
    if not stream.exists():
        print(f"making {stream.name} …", file=sys.stderr)
        generate(stream)
    samples, tests = WORK / "samples.jsonl", WORK / "tests.jsonl"
    with stream.open() as lines, samples.open("w") as s, tests.open("w") as t:
        for line in lines:
            if '"record": "sample"' in line:
                s.write(line)
            elif '"record": "test"' in line:
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
    size = stream.stat().st_size / 1e6
    duck = [measured([sys.executable, "-c", query]) for _ in range(3)]
    ours = [measured([BIN / "correlate", stream, "-o", WORK / "joined.jsonl"]) for _ in range(3)]
    d, o = statistics.median(x[0] for x in duck), statistics.median(x[0] for x in ours)
    print(f"join, {TESTS:,} tests x {SAMPLES:,} samples ({size:.0f} MB)   correlate {o:.2f} s and "
          f"{max(x[2] for x in ours):.0f} MB, writing every line; DuckDB's range join {d:.2f} s and "
          f"{max(x[2] for x in duck):.0f} MB: {o / d:.2f}x")
    report = measured([BIN / "reportgen", WORK / "joined.jsonl", "-o", WORK / "report.md"])
    print(f"report of it           {report[0]:.2f} s, {report[2]:.0f} MB")
    plot = measured([BIN / "memplot", WORK / "joined.jsonl", "-o", WORK / "timeline.html"])
    print(f"timeline of it         {plot[0]:.2f} s, {plot[2]:.0f} MB, a page of "
          f"{(WORK / 'timeline.html').stat().st_size / 1e6:.1f} MB")
    check = measured([BIN / "validate", WORK / "joined.jsonl"])
    print(f"validating it          {check[0]:.2f} s, {check[2]:.0f} MB")


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    sampling()
    relaying()
    joining()
