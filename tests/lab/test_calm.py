#!/usr/bin/env python3
"""A calm day with equal ways, a hop that never answers, and jitter: nothing may be raised.

A minute of it here; `demo.py --calm 5m` is the longer one.
"""
import os
import pathlib
import sys

DEMO = pathlib.Path(__file__).with_name("demo.py")
os.execv(sys.executable, [sys.executable, str(DEMO), "--calm", "60s"])
