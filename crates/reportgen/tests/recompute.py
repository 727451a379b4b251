"""Runs of 25 models made up at random, and the tables of their report computed anew.

    recompute.py make SEED THEN NOW     writes two runs
    recompute.py check THEN NOW TABLES  compares the tables (reportgen --csv) with our own

Nothing of reportgen is used: the figures follow from the lines by their definitions.
"""

import csv
import json
import math
import random
import statistics
import sys
from collections import defaultdict
from pathlib import Path

CASES = ["run_command", "run_json", "chat_batch", "chat_streaming", "stop", "pipe|list", "image", "audio"]
OUTCOMES = ["passed"] * 14 + ["failed", "error", "skipped", "skipped", "xfailed", "xpassed"]


def make(seed, then, now):
    chance = random.Random(seed)
    models = [{"id": f"org/Model-{n}-{chance.choice(['4bit', '8bit'])}", "size_gb": round(chance.uniform(0.3, 30), 1)}
              for n in range(25)]
    # Some share their first word, and some sizes are not known.
    models[3]["id"], models[4]["id"] = "org/Qwen3-30B-4bit", "org/Qwen3-30B"
    del models[7]["size_gb"]
    for path, run in ((then, "then"), (now, "now")):
        Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines(chance, models, run)))


def lines(chance, models, run):
    ts = 1_771_000_000.0
    for model in [*models, None]:
        for case in CASES:
            if chance.random() < 0.2:
                continue
            # The same test can have several results: none of them is lost.
            for _ in range(chance.choice([1, 1, 1, 1, 2, 5])):
                modality = chance.choice(["text", "text", "vision", "audio"]) if model else None
                test = {"record": "test", "v": 1, "ts": ts, "run": run, "host": "h", "suite": "s", "case": case,
                        "id": f"s::{case}[{model['id'] if model else ''}]", "outcome": chance.choice(OUTCOMES)}
                if model:
                    test |= {"params": {"backend": "mlx", "model": model["id"]}, "model": model, "modality": modality}
                if chance.random() < 0.95:
                    test["duration_s"] = round(chance.uniform(0.001, 60), 4)
                if chance.random() < 0.8:
                    low, mean = chance.uniform(1, 40), chance.uniform(0, 100)
                    test["resources"] = {
                        "samples": 9, "coverage": 1.0,
                        "ram_free_gb": {"min": low, "p50": low, "p95": low, "max": low + 3},
                        "tree_rss_gb": {"min": 1, "p50": 1, "p95": 1, "max": chance.uniform(1, 30)},
                        "gpu_device_util": {"min": 0, "mean": mean, "p50": mean, "p95": 100, "max": 100}}
                elif chance.random() < 0.5:
                    test["system_health"] = {"ram_free_gb": chance.uniform(1, 40)}
                if chance.random() < 0.7 and model:
                    test["metrics"] = {"ttft_s": chance.uniform(0, 3), "generation_tps": chance.uniform(1, 90)}
                ts += 1.5
                yield test


def tests(path):
    return [json.loads(line) for line in Path(path).open()]


def model(test):
    return test.get("model", {}).get("id")


def through(test):
    return test["outcome"] in ("passed", "xpassed")


def pairs(then, now):
    """Medians of what came through both times, by test and model."""
    def times(all_tests):
        found = defaultdict(list)
        for test in all_tests:
            if through(test) and "duration_s" in test:
                found[test["case"], model(test)].append(test["duration_s"])
        return {key: statistics.median(values) for key, values in found.items()}
    old, new = times(then), times(now)
    return {key: (old[key], new[key]) for key in old.keys() & new.keys()}


def free(rows):
    """Free memory of each: between the extremes of its samples, else what it says itself."""
    for test in rows:
        if "resources" in test:
            yield test["resources"]["ram_free_gb"]["min"]
            yield test["resources"]["ram_free_gb"]["max"]
        elif "system_health" in test:
            yield test["system_health"]["ram_free_gb"]


def known(rows, *path):
    for test in rows:
        for key in path:
            test = test.get(key) if isinstance(test, dict) else None
        if test is not None:
            yield test


def expect(what, row, **figures):
    for field, want in figures.items():
        cell = row.get(field, "")
        if want is None:
            assert cell in ("", "–"), f"{what}: {field} is {cell!r} and should be absent"
        elif isinstance(want, str):
            assert cell == want, f"{what}: {field} is {cell!r}, not {want!r}"
        else:
            assert cell != "", f"{what}: {field} is absent, not {want}"
            assert math.isclose(float(cell), want, rel_tol=1e-9, abs_tol=1e-9), f"{what}: {field} is {cell}, not {want}"


def first(values):
    return next(iter(values), None)


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else None


def compared(pairs_of):
    """The columns of then and now."""
    if not pairs_of:
        return {"same_tests": None, "then_s": None, "δ_s": None, "change_pct": None}
    old, new = sum(a for a, _ in pairs_of), sum(b for _, b in pairs_of)
    return {"same_tests": len(pairs_of), "then_s": old, "δ_s": new - old, "change_pct": 100 * (new - old) / old}


def check(then, now, tables):
    then, now = tests(then), tests(now)
    both = pairs(then, now)
    rows = {name: list(csv.DictReader((Path(tables) / f"{name}.csv").open())) for name in ("models", "model_speeds", "cases", "categories", "results")}
    assert len(rows["results"]) == len(now)

    groups = defaultdict(list)
    for test in now:
        groups[model(test), test.get("modality") if model(test) else None].append(test)
    # A test belongs to the row of the first of its results.
    place = {}
    for test in now:
        place.setdefault((test["case"], model(test)), (model(test), test.get("modality") if model(test) else None))
    assert len(rows["models"]) == len(groups) + 1 and len(rows["model_speeds"]) == len(groups)
    everything = [row for row in rows["models"] if row["model"] == "All"][0]
    for (name, mode), own in groups.items():
        def is_own(row):
            return (row["model"] == (name or "no model (infrastructure)")) and row["mode"] == (mode or "")
        row = [row for row in rows["models"] if is_own(row)]
        assert len(row) == 1, (name, mode, row)
        count = lambda *outcomes: sum(test["outcome"] in outcomes for test in own)
        times = list(known(own, "duration_s"))
        expect((name, mode), row[0], tests=len(own), passed=count("passed", "xpassed"),
               not_passed=count("failed", "error"), skipped=count("skipped"), as_expected=count("xfailed"),
               time_s=sum(times) if times else None,
               **compared([both[key] for key in both if place[key] == (name, mode)]))
        row = [row for row in rows["model_speeds"] if is_own(row)]
        memory = list(free(own))
        expect((name, mode), row[0], size_gb=first(known(own, "model", "size_gb")),
               ttft_s=mean(known(own, "metrics", "ttft_s")), generation_tps=mean(known(own, "metrics", "generation_tps")),
               free_memory_gb_min=min(memory, default=None), free_memory_gb_max=max(memory, default=None),
               process_memory_gb=max(known(own, "resources", "tree_rss_gb", "max"), default=None))
    expect("all", everything, tests=len(now), time_s=sum(known(now, "duration_s")), **compared(list(both.values())))

    groups = defaultdict(list)
    for test in now:
        groups[test["case"], test.get("modality")].append(test)
    assert len(rows["cases"]) == len(groups)
    first_mode = {}
    for test in now:
        first_mode.setdefault((test["case"], model(test)), test.get("modality"))
    for (case, mode), own in groups.items():
        row = [row for row in rows["cases"] if row["test"] == case and row["mode"] == (mode or "")]
        assert len(row) == 1, (case, mode)
        times = [test["duration_s"] for test in own if through(test) and "duration_s" in test]
        mine = [both[key] for key in both if key[0] == case and first_mode[key] == mode]
        old = statistics.median(a for a, _ in mine) if mine else None
        new = statistics.median(b for _, b in mine) if mine else None
        expect((case, mode), row[0], models=len({model(test) for test in own} - {None}),
               median_s=statistics.median(times) if times else None, fastest_s=min(times, default=None),
               slowest_s=max(times) if len(times) > 1 else None, same_tests=len(mine) or None, then_s=old,
               δ_s=new - old if mine else None, change_pct=100 * (new - old) / old if mine else None)

    sizes = {}
    for test in now:
        if "size_gb" in test.get("model", {}):
            sizes.setdefault(model(test), test["model"]["size_gb"])
    groups = defaultdict(list)
    for test in filter(model, now):
        size = sizes.get(model(test))
        label = ("not stated" if size is None else "large, from 20 GB" if size >= 20
                 else "medium, 10 to 20 GB" if size >= 10 else "small, below 10 GB")
        groups[label, test["modality"]].append(test)
    assert len(rows["categories"]) == len(groups)
    for (label, mode), own in groups.items():
        row = [row for row in rows["categories"] if (row["size"], row["mode"]) == (label, mode)]
        times = [test["duration_s"] for test in own if through(test) and "duration_s" in test]
        names = {model(test) for test in own}
        expect((label, mode), row[0], models=len(names), mean_size_gb=mean(sizes[n] for n in names if n in sizes),
               tests_passed=len(times), mean_test_s=mean(times), free_memory_gb_min=min(free(own), default=None))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    {"make": lambda seed, *paths: make(int(seed), *paths), "check": check}[command](*arguments)
