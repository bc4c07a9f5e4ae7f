#!/usr/bin/env bash
# Traces an offline scan and fails on any network system call. A command that
# must dial shows first that the trace would see one.
#
#   strace.sh BIN DB TARGET...
set -euo pipefail
bin=$1 db=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# strace prints one line a call, "+++" for exits and "---" for signals.
calls() { grep -vE '(\+\+\+|---) |resumed>' "$1" | grep -cE '(socket|connect|bind|listen|accept|send|recv|getsockname|getpeername|setsockopt)[a-z0-9]*\(' || true; }

strace -f -q -e trace=network -o "$work/control" "$bin" db update --from http://127.0.0.1:9/ --db "$work/db" >"$work/out" 2>&1 && { echo "strace: an update from a closed port succeeded"; exit 1; }
[ "$(calls "$work/control")" -gt 0 ] || { echo "strace: the control dialled nothing, so the trace proves nothing"; cat "$work/out"; exit 1; }
for target in "$@"; do
  for flags in --offline "" --deep; do
    code=0
    # shellcheck disable=SC2086  # an empty flag is no argument
    strace -f -q -e trace=network -o "$work/trace" "$bin" scan "$target" --db "$db" $flags -o "json=$work/report.json" >/dev/null 2>"$work/err" || code=$?
    [ "$code" -le 3 ] && [ "$code" -ne 2 ] && [ -s "$work/report.json" ] || { echo "strace: scan $target: exit status $code"; cat "$work/err"; exit 1; }
    n=$(calls "$work/trace")
    [ "$n" -eq 0 ] || { echo "strace: scan $target $flags made $n network calls:"; head -5 "$work/trace"; exit 1; }
    rm -f "$work/report.json"
  done
  echo "strace: $target: no network call"
done
for asked in "npm:lodash@4.17.15" "--deep pypi:requests@2.28.1" "golang:golang.org/x/text@v0.3.5"; do
  code=0
  # shellcheck disable=SC2086  # several arguments
  strace -f -q -e trace=network -o "$work/trace" "$bin" vet $asked --db "$db" -o "json=$work/report.json" >/dev/null 2>"$work/err" || code=$?
  [ "$code" -le 3 ] && [ "$code" -ne 2 ] && [ -s "$work/report.json" ] || { echo "strace: vet $asked: exit status $code"; cat "$work/err"; exit 1; }
  n=$(calls "$work/trace")
  [ "$n" -eq 0 ] || { echo "strace: vet $asked made $n network calls:"; head -5 "$work/trace"; exit 1; }
  rm -f "$work/report.json"
  echo "strace: vet $asked: no network call"
done
