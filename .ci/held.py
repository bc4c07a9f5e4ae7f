"""What the scripts beside this one hold of the program: counted, printed when it fails, and listed at the end."""
failures, checks = [], 0


def hold(ok, case, text):
    global checks
    checks += 1
    if not ok:
        failures.append(f"{case}: {text}")
        print(f"  FAIL {case}: {text}", flush=True)
    return ok


def summary(name):
    """Prints the counts and what failed; returns the exit status, which is 1 also when nothing was held."""
    print(f"{name}: {checks} checks, {len(failures)} failed")
    for f in failures:
        print(f"  {f}")
    return 1 if failures or not checks else 0
