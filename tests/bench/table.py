"""Figures of a workload: medians over its repetitions, and the table."""

import statistics


def median(runs, key):
    return statistics.median(key(r) for r in runs)


def cpu(run):
    return sum(run["cpu_us"].values())


def summary(runs, base):
    """Medians of one row; ratios are taken within each repetition, so that
    what disturbed both does not count."""
    ratios = [cpu(r) / cpu(b) for r, b in zip(runs, base)]
    rates = [r["rate"] / b["rate"] for r, b in zip(runs, base)]
    return {
        "cpu_us": median(runs, cpu),
        "split_us": {g: median(runs, lambda r: r["cpu_us"][g])
                     for g in runs[0]["cpu_us"]},
        "cpu_ratio": statistics.median(ratios),
        "cpu_ratio_range": [min(ratios), max(ratios)],
        "rate": median(runs, lambda r: r["rate"]),
        "rate_ratio": statistics.median(rates),
        "p50_ms": median(runs, lambda r: r["p50_us"]) / 1000,
        "p99_ms": median(runs, lambda r: r["p99_us"]) / 1000,
        "max_ms": median(runs, lambda r: r["max_us"]) / 1000,
        "memory_mib": runs[-1]["memory_mib"],
        "hits": hits(runs),
        "others": median(runs, lambda r: r["others"]),
        "least_of_a_client": min(r["least"] for r in runs),
    }


def hits(runs):
    found = [r["hits"] for r in runs if r["hits"] is not None]
    return statistics.median(found) if found else None


def ratio(runs, other):
    return statistics.median(cpu(r) / cpu(o) for r, o in zip(runs, other))


HEAD = (f"{'':16} {'CPU us':>8} {'x limit':>8} {'(range)':>13} "
        f"{'rate/s':>8} {'x limit':>8} {'p50 ms':>8} {'p99 ms':>8} "
        f"{'MiB':>6} {'hits':>5} {'others':>6}  CPU us by part")
# Above it a goal is not judged: what others do is in every figure then.
OTHERS_MOST = 0.2


def part(ratio):
    return "-" if ratio is None else f"{ratio:.2f}"


def lines(work, rows, different):
    """rows: {name: summary}; different: the working set."""
    out = [f"{work.name}: {work.__doc__} {work.connections} connections, "
           f"{different[0]:,} different requests of {different[1]:,}.",
           HEAD]
    for name, s in rows.items():
        low, high = s["cpu_ratio_range"]
        split = ", ".join(f"{g} {v:.0f}" for g, v in s["split_us"].items())
        out.append(
            f"{name:16} {s['cpu_us']:8.1f} {s['cpu_ratio']:8.2f} "
            f"{f'{low:.2f}-{high:.2f}':>13} {s['rate']:8.0f} "
            f"{s['rate_ratio']:8.2f} {s['p50_ms']:8.2f} {s['p99_ms']:8.2f} "
            f"{s['memory_mib']:6.0f} {part(s['hits']):>5} "
            f"{s['others']:6.0%}  {split}")
    return out


def verdicts(work, runs):
    """Each goal: what was wanted, what was measured, whether it is reached."""
    found = []
    mine = runs.get("metagate")
    for kind, most, *of in work.goals:
        which = of[0] if of else "metagate"
        if which not in runs or kind not in runs:
            continue
        is_now = ratio(runs[which], runs[kind])
        found.append({"work": work.name, "most": most,
                      "against": kind + (" when " + which if of else ""),
                      "is": is_now, "reached": is_now <= most,
                      "others": others(runs[which] + runs[kind])})
    if mine is not None and "limit" in runs and work.p99:
        over = (median(mine, lambda r: r["p99_us"])
                - median(runs["limit"], lambda r: r["p99_us"])) / 1000
        found.append({"work": work.name, "against": "p99 of limit, + ms",
                      "most": 2.0, "is": over, "reached": over <= 2.0,
                      "others": others(mine + runs["limit"])})
    return found


def others(runs):
    return median(runs, lambda r: r["others"])


def verdict_line(v):
    word = "reached" if v["reached"] else "NOT REACHED"
    if v["others"] > OTHERS_MOST:
        word = f"not judged, others kept the machine {v['others']:.0%} busy"
    return (f"  {v['work']} against {v['against']}: {v['is']:.2f}, "
            f"goal <= {v['most']:.2f}: {word}")
