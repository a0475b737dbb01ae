#!/usr/bin/env python3
"""An echo agent: answers every message and request with its own text. Run: echo.py CONTEXT"""
import json
import os
import subprocess
import sys

sealwire = subprocess.Popen(
    [os.environ.get("SEALWIRE", "sealwire"), "-c", sys.argv[1], "pipe"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

def tell(**line):
    print(json.dumps(line), file=sealwire.stdin, flush=True)

try:
    for event in map(json.loads, sealwire.stdout):
        if event["event"] == "message":
            content = {name: event[name] for name in ("text", "json", "base64") if name in event}
            tell(op="reply", message=event["id"], **content)
            tell(op="ack", message=event["id"])
        elif event["event"] == "error":
            print(event["code"], event["cause"], file=sys.stderr)
except KeyboardInterrupt:
    pass
