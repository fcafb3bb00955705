"""Runs the unit tests, then the end-to-end tests against both builds. Usage: run.py BUILD_FOLDER [name part]"""

import importlib
import os
import pathlib
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
SUITES = ["e2e_session", "e2e_exec", "e2e_flow", "e2e_tar", "e2e_services", "e2e_udp", "e2e_commands", "e2e_service"]


def unit(build):
    # A leak at exit is the tests' own; what the agent keeps is checked by its memory, end to end.
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([build / "unit"], env=env, capture_output=True, text=True)
    print(done.stdout, done.stderr, sep="", end="", flush=True)
    lines = done.stdout.splitlines()
    passed = sum(line.startswith("ok ") for line in lines)
    failed = sum(line.startswith("FAIL ") for line in lines)
    # A crash must not look like success.
    if done.returncode != 0 and failed == 0:
        failed = 1
    assert passed > 0, "the unit tests did not run"
    return passed, failed


def end_to_end(binary, wanted):
    passed = failed = 0
    for suite in SUITES:
        module = importlib.import_module(suite)
        for name, test in list(vars(module).items()):
            if not name.startswith("test_") or wanted not in name:
                continue
            started = time.time()
            try:
                note = test(str(binary))
                passed += 1
                print(f"ok   {binary.name} {suite[4:]}: {name[5:]} ({time.time() - started:.1f} s){note or ''}", flush=True)
            except Exception:
                failed += 1
                print(f"FAIL {binary.name} {suite[4:]}: {name[5:]}\n{traceback.format_exc()}", flush=True)
    return passed, failed


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    results = [] if wanted else [unit(build)]
    for binary in ("banger-agent-sanitized", "banger-agent"):
        results.append(end_to_end(build / binary, wanted))
    passed = sum(result[0] for result in results)
    failed = sum(result[1] for result in results)
    print(f"agent: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
