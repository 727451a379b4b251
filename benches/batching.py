"""What a batch costs its client: chunks and requests against a server that answers at once,
memory over a million requests, and GuideLLM beside it on a real llama.cpp server."""

import json
import os
import pathlib
import random
import resource
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

import running

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "target/release"
BACKENDS = ROOT / "target/backends"
GUIDELLM = ROOT / "target/bench/guidellm"
WORDS = "river stone apple cloud window paper garden engine silver morning letter bridge".split()


def suite(path, port, concurrency):
    """A suite of one batch on an attached server."""
    path.write_text("\n".join([
        "suite = 1", "name = 'bench'", "[backend.b]", "kind = 'openai'", f"url = 'http://127.0.0.1:{port}'",
        "ready = { get = '/health', timeout = '120s' }", "[[model]]", "id = 'm'", "modality = ['text']",
        "on.b = {}", "[[case]]", "name = 'batch'", "needs = ['text']", "timeout = '600s'",
        f"batch = {{ file = 'requests.jsonl', concurrency = {concurrency} }}",
    ]))


def requests(path, bodies):
    """The file of a batch."""
    with path.open("w") as out:
        for n, body in enumerate(bodies):
            out.write(json.dumps({"custom_id": f"request-{n}", "body": body}) + "\n")


def batch(work, measured, port, concurrency, pin=()):
    """Runs the batch: its result, CPU seconds and peak memory in MB."""
    suite(work / "batch.toml", port, concurrency)
    out = work / "batch.jsonl"
    _, cpu, peak = measured([*pin, BIN / "runner", work / "batch.toml", "-o", out, "--state-dir", work / "runner"])
    with out.open() as lines:
        test = next(json.loads(line) for line in lines if '"record":"test"' in line)
    assert test["outcome"] == "passed", test
    return test, cpu, peak


def pinned(core):
    """On that core alone, where that can be said."""
    return ["taskset", "-c", str(core)] if sys.platform == "linux" else []


def wire(work, measured, chunks=1000, streams=640):
    """Chunks a second that one core takes in over 64 connections; and what a request costs."""
    body = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": chunks, "stream": True}
    rates, cpus = [], []
    with running.Instant("--quiet") as server:
        requests(work / "requests.jsonl", [body] * streams)
        for _ in range(5):
            test, cpu, _ = batch(work, measured, server.port, 64, pinned(0))
            assert test["batch"]["completion_tokens"] == chunks * streams
            rates.append(chunks * streams / test["batch"]["duration_s"])
            cpus.append(cpu / (chunks * streams) * 1e6)
        print(f"batch, one core, 64 streams of {chunks:,} chunks: {statistics.median(rates):,.0f} chunks/s, "
              f"{statistics.median(cpus):.2f} us of CPU a chunk")
        requests(work / "requests.jsonl", [{"messages": body["messages"]}] * 20_000)
        for concurrency in (8, 64):
            test, cpu, _ = batch(work, measured, server.port, concurrency)
            print(f"batch, 20,000 small answers, {concurrency} at once: {test['metrics']['request_tps']:,.0f} requests/s, "
                  f"{cpu / 20_000 * 1e3:.3f} ms of CPU a request")


def memory(work, measured, sizes=(100_000, 1_000_000)):
    """Peak memory of batches of so many requests."""
    with running.Instant("--quiet") as server:
        for size in sizes:
            body = {"messages": [{"role": "user", "content": "Say hello."}]}
            requests(work / "requests.jsonl", (body for _ in range(size)))
            test, cpu, peak = batch(work, measured, server.port, 64)
            print(f"batch of {size:,} requests: {peak:.0f} MB at most, {test['batch']['duration_s']:.0f} s, "
                  f"{cpu / size * 1e3:.3f} ms of CPU a request")


class Llama:
    """A real llama.cpp server with 8 slots, with nothing in its caches."""

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        model = BACKENDS / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
        self.process = subprocess.Popen(
            [BACKENDS / "llama/bin/python", ROOT / "examples/backends/llama_server.py", "-m", model,
             "--port", str(self.port), "-c", "4096", "-np", "8"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) and self
            except OSError:
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def prompts(count, seed):
    """The same for the same seed, and no two that begin alike: no cache helps."""
    chance = random.Random(seed)
    return [f"{n} " + " ".join(chance.choice(WORDS) for _ in range(24)) for n in range(count)]


def ours(work, measured, port, texts, tokens):
    """(requests/s by our own count, requests/s from the first sent to the last answered, CPU s)."""
    requests(work / "requests.jsonl", [{
        "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}],
        "max_tokens": tokens, "ignore_eos": True, "stream": True} for text in texts])
    test, cpu, _ = batch(work, measured, port, 8)
    assert test["batch"]["completion_tokens"] == tokens * len(texts), test["batch"]
    with (work / "batch.jsonl").open() as out:
        lines = [json.loads(line) for line in out if '"record":"request"' in line]
    span = max(line["end_ts"] for line in lines) - min(line["ts"] for line in lines)
    return test["metrics"]["request_tps"], len(lines) / span, cpu


def theirs(work, port, texts, tokens):
    """The same of GuideLLM, with all its processes."""
    with (work / "prompts.jsonl").open("w") as out:
        for text in texts:
            out.write(json.dumps({"prompt": text, "output_tokens_count": tokens}) + "\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [GUIDELLM / "bin/guidellm", "run", "--backend", f"kind=openai_http,target=http://127.0.0.1:{port},model=m",
         "--profile", "kind=concurrent,streams=8", "--constraint", f"kind=max_requests,count={len(texts)}",
         "--data", f"kind=json_file,path={work / 'prompts.jsonl'}",
         "--tokenizer", f"kind=hf_auto,model={BACKENDS / 'models/SmolLM2-135M-Instruct-mlx'}",
         "--output", f"kind=json,path={work / 'guidellm.json'}", "--disable-console"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    run = json.loads((work / "guidellm.json").read_text())["benchmarks"][0]
    done = run["requests"]["successful"]
    assert len(done) == len(texts) and sum(line["output_tokens"] for line in done) == tokens * len(texts)
    span = max(line["request_end_time"] for line in done) - min(line["request_start_time"] for line in done)
    return len(done) / run["duration"], len(done) / span, cpu


def beside_guidellm(work, measured, rounds=5, count=80, tokens=24):
    """Both against the same server, in turn, who is first in turn too."""
    if not (GUIDELLM / "bin/guidellm").exists():
        subprocess.run([sys.executable, "-m", "venv", GUIDELLM], check=True)
        subprocess.run([GUIDELLM / "bin/pip", "install", "-q", "guidellm[all]==0.8.1"], check=True)
    both = {"ours": [], "theirs": []}
    for n in range(rounds):
        texts = prompts(count, n)
        for who in sorted(both, reverse=n % 2 == 1):
            # A server of its own: what it has in its cache would help whoever is second.
            with Llama() as server:
                if who == "ours":
                    both[who].append(ours(work, measured, server.port, texts, tokens))
                else:
                    both[who].append(theirs(work, server.port, texts, tokens))
        print(f"  round {n + 1}: " + ", ".join(
            f"{who} {own:.3f} requests/s by its own count, {span:.3f} over the span, {cpu / count * 1e3:.2f} ms of CPU a request"
            for who, (own, span, cpu) in ((who, runs[-1]) for who, runs in both.items())), flush=True)
    own, span, cpu = (statistics.median(a[i] / b[i] for a, b in zip(both["ours"], both["theirs"])) for i in range(3))
    print(f"batch of {count} requests of {tokens} tokens, 8 at once, on llama.cpp, beside GuideLLM 0.8.1, median of {rounds} pairs: "
          f"{own:.3f}x its requests/s by each one's own count, {span:.3f}x from the first sent to the last answered, "
          f"{cpu:.4f}x its CPU time a request")
