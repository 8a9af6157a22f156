#!/usr/bin/env python3
"""Asks scipy for the statistics that backend/src/why uses, on small seeded samples; writes statistics.ndjson.

Needs scipy; made with 1.17.1. Run in this folder: python3 ask_scipy.py > statistics.ndjson
"""
import json

import numpy as np
from scipy import stats

rng = np.random.default_rng(20261128)


def say(kind, **case):
    print(json.dumps({"kind": kind, **case}))


def plain(values):
    return [float(np.float32(value)) for value in values]


def ks():
    pairs = [([1, 1], [1, 2]), ([1, 1, 7, 0, 5], [1, 2]), ([1, 2, 3], [4, 5, 6]), ([2, 2, 2], [2, 2])]
    for a, b in [(3, 12), (5, 20), (12, 12)]:
        pairs.append((rng.normal(size=a).round(3), rng.normal(0.7, 1.5, size=b).round(3)))
    pairs.append((rng.normal(size=60).round(3), rng.normal(1.0, 1.0, size=190).round(3)))
    for a, b in pairs:
        say("ks", a=plain(a), b=plain(b), statistic=float(stats.ks_2samp(plain(a), plain(b)).statistic))


def robust():
    for size, scale in [(3, 1.0), (15, 0.01), (61, 1e6), (301, 80.0)]:
        values = plain((rng.standard_t(3, size=size) * scale + 5 * scale).round(4))
        say(
            "robust",
            values=values,
            mean=float(np.mean(values)),
            sd=float(np.std(values, ddof=1)),
            median=float(np.median(values)),
            mad=float(stats.median_abs_deviation(values, scale="normal")),
            slope=float(stats.linregress(range(size), values).slope),
        )


def counts():
    for hits, lines, other_hits, other_lines in [(84, 100, 2, 100), (1, 9, 3, 400), (40, 200, 41, 200), (7, 7, 5, 90)]:
        table = [[hits, lines - hits], [other_hits, other_lines - other_hits]]
        g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
        say("g", table=[hits, lines, other_hits, other_lines], g=float(g))
    for count, size, other, other_size in [(50, 12, 20, 48), (0, 12, 100, 48), (3, 5, 0, 20), (12, 12, 48, 48)]:
        share = size / (size + other_size)
        expected = [(count + other) * share, (count + other) * (1 - share)]
        g = stats.power_divergence([count, other], expected, lambda_="log-likelihood").statistic
        say("rate", table=[count, size, other, other_size], g=float(g))
    for hits, lines in [(84, 100), (0, 30), (30, 30), (1, 7), (500, 20000)]:
        low, high = stats.binomtest(hits, lines).proportion_ci(method="wilson")
        say("wilson", hits=hits, lines=lines, low=float(low), high=float(high))


def discoveries():
    for size in [1, 5, 40]:
        p = (rng.uniform(size=size) ** 3).round(6)
        say("bh", p=p.tolist(), adjusted=stats.false_discovery_control(p).tolist())


ks()
robust()
counts()
discoveries()
