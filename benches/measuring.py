"""How far our figures of a real llama.cpp server are from those that it has of itself.

Its clock of a prompt starts when a slot takes it: what its template and its tokenizer took
before that is in our time to first token, and grows with the prompt. So there are two
prompts, a short and a long one."""

import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "target/release"

SUITE = """
suite = 1
name = "measuring"
defaults = {{ timeout = "300s", seed = 42, temperature = 0.0 }}
[backend.llama]
kind = "llama-server"
command = ["{root}/examples/backends/llama-server", "-m", "{{path}}", "--host", "{{host}}", "--port", "{{port}}", "-c", "2048"]
[[model]]
id = "smollm2-135m"
modality = ["text"]
on.llama = {{ path = "{root}/target/backends/models/SmolLM2-135M-Instruct.Q4_1.gguf" }}
[[case]]
name = "speed"
needs = ["text"]
request = {{ api = "chat", prompt = "Go on with this text:", max_tokens = 128 }}
bench = {{ warmup = 2, repetitions = {repetitions}, prompt_tokens = [64, 512] }}
"""


def against_the_server(work, repetitions=15):
    """For each prompt: its tokens; medians over the repetitions of our prompt and generation
    tok/s less the server's own in percent, and of the ms by which the first token came to us
    later than the server had it; and the verdict on the measurement."""
    subprocess.run([ROOT / "examples/backends/setup.sh", "llama"], check=True, stdout=subprocess.DEVNULL)
    suite, out = work / "measuring.toml", work / "measuring.jsonl"
    suite.write_text(SUITE.format(root=ROOT, repetitions=repetitions))
    subprocess.run(
        [BIN / "runner", suite, "-o", out, "--state-dir", work / "runner"],
        check=True, stderr=subprocess.DEVNULL,
    )
    lines = [json.loads(line) for line in out.open()]
    for test in (line for line in lines if line["record"] == "test"):
        server = test["metrics"]["server"]
        yield (
            test["params"]["prompt_tokens"],
            server["prompt_difference_pct"]["median"],
            server["generation_difference_pct"]["median"],
            server["ttft_minus_prompt_s"]["median"] * 1e3,
            test["verdict"],
        )
