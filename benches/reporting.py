"""The report beside the join that it follows in a pipe."""

import statistics
import subprocess
import time


def piped(*commands):
    """Seconds that commands take in a pipe, and the last one's output is thrown away."""
    begin = time.monotonic()
    running = []
    for at, command in enumerate(commands):
        out = subprocess.DEVNULL if at == len(commands) - 1 else subprocess.PIPE
        running.append(subprocess.Popen(command, stdin=running[-1].stdout if running else None, stdout=out))
        if at:
            # Ours is a copy: with it open no reader would see the end.
            running[-2].stdout.close()
    for process in running:
        assert process.wait() == 0, process.args
    return time.monotonic() - begin


def beside_the_join(bin_dir, work, stream_of, measured):
    """The bars of the report: the pipe beside its first half, and a small run."""
    for samples, tests, runs in ((1_000_000, 10_000, 7), (5_800, 251, 21)):
        stream = stream_of(samples, tests)
        join, report, joined = [bin_dir / "correlate", stream], [bin_dir / "reportgen"], work / "joined.jsonl"
        # By itself it writes a file: thrown away, its output would cost nothing.
        taken = [(piped([*join, "-o", joined]), piped(join, ["cat"]), piped(join, report)) for _ in range(runs)]
        alone, read, both = (statistics.median(run[at] for run in taken) for at in (0, 1, 2))
        subprocess.run([*join, "-o", joined], check=True)
        _, cpu, memory = measured([*report, joined, "-o", work / "report.md"])
        print(f"correlate | reportgen of {tests:,} tests and {samples:,} samples: {both * 1e3:.0f} ms, "
              f"{both / alone:.2f}x correlate into a file, {both / read:.2f}x correlate | cat; reportgen by itself {cpu * 1e3:.0f} ms of CPU, {memory:.0f} MB")
