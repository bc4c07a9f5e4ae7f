#!/usr/bin/env bash
# Update the store, scan TARGETS, and end with the scan's exit code. Inputs come
# as variables of the environment, never as text of a script, and what is
# scanned comes after "--", so that no name of a file is an option.
set -euo pipefail
args=(scan --no-progress -o github)
option() { [ -z "$2" ] || args+=("$1" "$2"); }
lines() { # FLAG TEXT: the flag once for each line
  local line
  while IFS= read -r line; do
    line=${line%$'\r'}
    [ -z "$line" ] || args+=("$1" "$line")
  done <<< "$2"
}
option --policy "${POLICY:-}"
option --runtime "${RUNTIME:-}"
option --fail-on "${FAIL_ON:-}"
lines --lockfile "${LOCKFILES:-}"
lines --layer "${LAYERS:-}"
option -o "${SARIF:+sarif=$SARIF}"
option -o "${JSON:+json=$JSON}"
option -o "${COMMENT:+markdown=$COMMENT}"
while IFS= read -r line; do
  line=${line%$'\r'}
  [ -z "$line" ] || args+=("$line")
done <<< "${ARGS:-}"
args+=(--)
count=0
while IFS= read -r line; do
  line=${line%$'\r'}
  [ -n "$line" ] || continue
  matched=()
  while IFS= read -r match; do matched+=("$match"); done < <(compgen -G "$line" | LC_ALL=C sort)
  [ ${#matched[@]} -gt 0 ] || matched=("$line") # said to be missing by the scan
  args+=("${matched[@]}")
  count=$((count + ${#matched[@]}))
done <<< "${TARGETS:-}"
if [ "$count" -eq 0 ]; then
  echo "::error title=fnaudit::no target was named"
  echo "exit-code=2" >> "$GITHUB_OUTPUT"
  exit 2
fi
if [ "${UPDATE:-true}" != false ]; then
  # What cannot be fetched is no reason to stop: the policy says how old the store may be.
  fnaudit db update || echo "::warning title=fnaudit::the advisory store could not be updated: it is judged with what the cache has"
fi
code=0
fnaudit "${args[@]}" || code=$?
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
exit "$code"
