"""What the runner itself costs: time between requests, and CPU time for each cell."""

import json
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "target/release"


def suite(path, port, models, cases):
    """A suite of models x cases on an attached server."""
    lines = [
        "suite = 1", "name = 'bench'", "[backend.instant]", "kind = 'openai'",
        f"url = 'http://127.0.0.1:{port}'", "ready = { get = '/health' }",
    ]
    for n in range(models):
        lines += ["[[model]]", f"id = 'model-{n}'", "modality = ['text']", "on.instant = {}"]
    for n in range(cases):
        lines += [
            "[[case]]", f"name = 'case-{n}'", "needs = ['text']",
            "request = { api = 'chat', prompt = 'Say hello.', max_tokens = 8 }",
            "expect = [{ status = 200 }, { text = { icontains = 'hello' } }]",
        ]
    path.write_text("\n".join(lines))


class Instant:
    """A server that answers at once; with `--quiet` it keeps no times."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.process = subprocess.Popen(
            [BIN / "examples/instant_server", *self.options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        """Ends it; `times` has (first byte came, last byte went) in ns for each request."""
        out, _ = self.process.communicate("")
        self.times = [tuple(map(int, line.split())) for line in out.splitlines()]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def overhead(work, cells=1000):
    """ms: (record of one case written -> first byte of the next request at the server),
    (last byte of an answer sent -> its record read), both p50 and p99."""
    with Instant() as server:
        suite(work / "bench.toml", server.port, 1, cells)
        command = [BIN / "runner", work / "bench.toml", "--state-dir", work / "runner"]
        runner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seen = []
        for line in runner.stdout:
            at = time.monotonic_ns()
            if b'"record":"test"' in line:
                seen.append((at, json.loads(line)["outcome"]))
        runner.wait()
    assert [outcome for _, outcome in seen] == ["passed"] * cells
    # What asked whether the server is ready is no case.
    times = server.times[-cells:]
    before = [(times[n + 1][0] - seen[n][0]) / 1e6 for n in range(cells - 1)]
    after = [(seen[n][0] - times[n][1]) / 1e6 for n in range(cells)]
    return [percentile(values, share) for values in (before, after) for share in (0.5, 0.99)]


def cell_cost(work, measured, models=25, cases=8, rounds=5):
    """CPU milliseconds of the runner for each cell of a matrix, start-up included."""
    with Instant() as server:
        suite(work / "bench.toml", server.port, models, cases)
        cpu = []
        for _ in range(rounds):
            _, seconds, _ = measured([
                BIN / "runner", work / "bench.toml", "-o", work / "cells.jsonl",
                "--state-dir", work / "runner",
            ])
            lines = (work / "cells.jsonl").read_text().splitlines()
            assert sum('"outcome":"passed"' in line for line in lines) == models * cases
            cpu.append(seconds)
    return sorted(cpu)[rounds // 2] * 1e3 / (models * cases)
