#!/usr/bin/env python3
"""The demo, as scripts run it: one incident within 60 s of the switch, and its resolution."""
import os
import pathlib
import sys

DEMO = pathlib.Path(__file__).with_name("demo.py")
os.execv(sys.executable, [sys.executable, str(DEMO), "--check"])
