#!/usr/bin/env python3
"""Judges the JSON of govulncheck: a called vulnerability fails, unless vuln-allow.txt names it with a reason.

  vulncheck.py GOVULNCHECK.json vuln-allow.txt
"""
import json, sys


def messages(text):
    decoder, at = json.JSONDecoder(), 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        value, at = decoder.raw_decode(text, at)
        yield value


allowed = {}
for line in open(sys.argv[2], encoding="utf-8"):
    line = line.split("#", 1)[0].strip() if line.lstrip().startswith("#") else line.strip()
    if line:
        name, _, reason = line.partition(" ")
        if not reason.strip():
            sys.exit(f"vulncheck: {name} has no reason in {sys.argv[2]}")
        allowed[name] = reason.strip()
called, imported, config = {}, set(), None
for m in messages(open(sys.argv[1], encoding="utf-8").read()):
    config = m.get("config") or config
    if f := m.get("finding"):
        top = f["trace"][0]
        if top.get("function"):
            called.setdefault(f["osv"], f"{top['module']}@{top.get('version', '?')}, fixed in {f.get('fixed_version', 'no version')}")
        else:
            imported.add(f["osv"])
if not config:
    sys.exit("vulncheck: govulncheck wrote no configuration message, so it judged nothing")
for name, where in sorted(called.items()):
    print(f"called: {name} {where}" + (f" (allowed: {allowed[name]})" if name in allowed else ""))
for name in sorted(set(allowed) - set(called)):
    print(f"allow list: {name} is no longer called, remove it")
print(f"vulncheck: {len(called)} called, {len(imported - set(called))} only required or imported")
sys.exit(1 if set(called) - set(allowed) or set(allowed) - set(called) else 0)
