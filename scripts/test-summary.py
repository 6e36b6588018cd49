#!/usr/bin/env python3
"""Prints what `meson test` skipped and why, and the counts: test-summary.py TESTLOG.json"""

import json
import sys


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as log:
        tests = [json.loads(line) for line in log if line.strip()]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for test in tests:
        if test["result"] == "SKIP":
            counts["skipped"] += 1
            reasons = [
                line for line in (test.get("stdout") or "").splitlines() if "SKIPPED" in line
            ]
            print(f"{test['name']}: {'; '.join(reasons) or 'SKIPPED without a reason'}")
        elif test["result"] in ("OK", "EXPECTEDFAIL"):
            counts["passed"] += 1
        else:
            counts["failed"] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")


if __name__ == "__main__":
    main()
