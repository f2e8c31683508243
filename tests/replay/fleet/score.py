#!/usr/bin/env python3
"""Scores the pages that a replay raised against the truth of the fleet: score.py TRUTH INCIDENTS

SCORE = 100 D / (1 + F/20). D weighs the troubles that deserve a page by how soon they were paged and
whether one of the causes is right; F counts false pages per 100 service-weeks.

A page (opened or escalated with severity page) is true when one of its services is hit, from the
trouble's begin until 30 minutes after its end. A site's own trouble is hit by a page that names the site
and no service; two pages of services beside it are borne, and earn nothing unless they name that site
alone. More pages on one trouble than it has services and two are false; so is every other page.
"""
import collections
import json
import math
import statistics
import sys

MINUTE = 60_000_000
AFTER = 30 * MINUTE
WEEK = 7 * 24 * 60 * MINUTE


class Trouble:
    def __init__(self, row):
        self.kind, self.begin, self.end = row["kind"], row["from_us"], row["until_us"]
        self.weight, self.target = row["weight"], row["target_us"]
        self.services, self.site = set(row["services"]), row.get("site")
        self.causes = set(row["causes"].split())
        self.pages, self.beside = [], 0

    def is_site(self):
        return not self.services

    def covers(self, rx):
        return self.begin <= rx <= self.end + AFTER

    def takes(self, page):
        """Whether the page is true because of this trouble."""
        if not self.covers(page["rx_us"]):
            return False
        if self.is_site():
            if not page["services"] and self.site in page["sites"]:
                self.pages.append(page)
                return True
            if self.site not in page["sites"] or self.beside == 2:
                return False
            self.beside += 1
            if page["sites"] == [self.site]:
                self.pages.append(page)
            return True
        if not self.services & set(page["services"]) or len(self.pages) >= len(self.services) + 2:
            return False
        self.pages.append(page)
        return True

    def speed(self):
        if not self.pages:
            return 0
        rx = self.pages[0]["rx_us"]
        if rx > self.end:
            return 0.1
        late = rx - self.begin
        last = max(min(8 * self.target, self.end - self.begin), self.target * 1.001)
        if late <= self.target:
            return 1
        return max(0.3, 1 - 0.7 * math.log(late / self.target) / math.log(last / self.target))

    def cause(self, causes_of):
        named = set().union(*(causes_of[page["id"]] for page in self.pages))
        return 1 if named & self.causes else 0.7


def read(truth_file, incidents_file):
    truth = json.load(open(truth_file))
    pages, causes_of = [], collections.defaultdict(set)
    for line in open(incidents_file):
        change = json.loads(line)
        causes_of[change["id"]] |= set(change["causes"])
        if change["state"] in ("opened", "escalated") and change["severity"] == "page":
            if truth["judged_from_us"] <= change["rx_us"] < truth["judged_until_us"]:
                pages.append(change)
    return truth, [Trouble(row) for row in truth["troubles"]], pages, causes_of


def score(truth_file, incidents_file):
    """(troubles with their results, false pages, service-weeks)"""
    truth, troubles, pages, causes_of = read(truth_file, incidents_file)
    false = [page for page in pages if not any(trouble.takes(page) for trouble in troubles)]
    for trouble in troubles:
        trouble.result = trouble.speed() * (trouble.cause(causes_of) if trouble.pages else 0)
    weeks = (truth["judged_until_us"] - truth["judged_from_us"]) / WEEK
    return troubles, false, truth["services"] * weeks


def summarise(runs):
    """Table of many (troubles, false pages, service-weeks); returns (SCORE, D, F)."""
    kinds = collections.defaultdict(list)
    for troubles, _, _ in runs:
        for trouble in troubles:
            kinds[trouble.kind].append(trouble)
    print(f"{'kind':14} {'found':>7} {'on time':>8} {'credit':>7} {'median min':>11}")
    for kind, rows in kinds.items():
        found = [t for t in rows if t.pages]
        minutes = [(t.pages[0]["rx_us"] - t.begin) / MINUTE for t in found]
        print(f"{kind:14} {len(found):3}/{len(rows):<3} {sum(t.speed() == 1 for t in rows):8}"
              f" {sum(t.result for t in rows) / len(rows):7.2f}"
              f" {statistics.median(minutes) if minutes else float('nan'):11.1f}")
    every = [t for rows in kinds.values() for t in rows]
    weight = sum(t.weight for t in every)
    d = sum(t.weight * t.result for t in every) / weight if weight else 0
    service_weeks = sum(run[2] for run in runs)
    false = sum(len(run[1]) for run in runs)
    f = 100 * false / service_weeks
    total = 100 * d / (1 + f / 20)
    print(f"D {100 * d:.1f}  F {f:.2f} ({false} false pages in {service_weeks:.0f} service-weeks)  SCORE {total:.1f}")
    return total, 100 * d, f


def main():
    run = score(*sys.argv[1:3])
    summarise([run])
    for page in run[1]:
        print(f"false: {page['rx_us']} {page['state']} {','.join(page['causes'])} "
              f"{','.join(page['services'][:4])} at {','.join(page['sites'])}: {page['title']}")
    for trouble in run[0]:
        if trouble.result < 1:
            print(f"{trouble.result:.2f} {trouble.kind} {trouble.begin} "
                  f"{','.join(sorted(trouble.services)) or trouble.site}")


if __name__ == "__main__":
    main()
