#!/usr/bin/env bash
# The same input gives the same bytes: run to run, and at any --jobs.
#
#   determinism.sh BIN DB OUT TARGET...     the first target alone in every format, then all in those that hold several
set -euo pipefail
bin=$1 db=$2 out=$3
shift 3
one() { # NAME JOBS "FORMATS" TARGET...
  local dir=$out/$1 jobs=$2 formats=$3 code=0 args=()
  shift 3
  mkdir -p "$dir"
  for f in $formats; do args+=(-o "$f=$dir/$f"); done
  "$bin" scan "$@" --db "$db" --offline --db-max-age 876000h --at 2026-11-01T00:00:00Z --jobs "$jobs" "${args[@]}" >"$dir/stdout" 2>"$dir/stderr" || code=$?
  echo "$code" >"$dir/status"
  [ "$code" -le 3 ] && [ "$code" -ne 2 ] || { echo "determinism: exit status $code"; cat "$dir/stderr"; return 1; }
  for f in $formats; do [ -s "$dir/$f" ] || { echo "determinism: $f is empty"; return 1; }; done
}
compare() { # NAME "FORMATS" TARGET...
  local name=$1 formats=$2 other
  shift 2
  one "$name-first" 1 "$formats" "$@"
  one "$name-second" 1 "$formats" "$@"
  one "$name-wide" 4 "$formats" "$@"
  for other in second wide; do
    diff -rq "$out/$name-first" "$out/$name-$other" || { echo "determinism: the outputs of $name differ"; return 1; }
  done
  echo "determinism: $name: 3 runs of $# targets, the same bytes in $formats; exit status $(cat "$out/$name-first/status")"
}
compare one "table json jsonl sarif cyclonedx-json spdx-json osv-json" "$1"
compare many "table json jsonl sarif osv-json" "$@"
