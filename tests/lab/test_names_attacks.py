#!/usr/bin/env python3
"""A few of names_attacks.py: ways to steal a name are paged within two rounds, harmless changes that
resemble them raise nothing. All of them, twenty times: names_attacks.py --runs 20."""
from internet import main
from names_attacks import run

main(run, 1, ["glue only", "poisoned resolver", "other issuer", "announced move", "renewal"])
