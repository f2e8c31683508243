#!/usr/bin/env python3
"""One run of names_attacks.py: every way to steal a name is paged within two rounds, and no harmless
change that resembles one raises anything. Twenty runs: names_attacks.py --runs 20."""
from internet import main
from names_attacks import run

main(run, 1, [])
