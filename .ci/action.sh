#!/usr/bin/env bash
# The composite action and the image recipe, as far as they can run here:
#
#   bash .ci/action.sh BINARY STORE
#
# The action's own scripts run with the variables that a runner sets; the image
# is built of BINARY and its layers are read, where buildah is there. It is
# started, too, if BINARY is linked statically, as that of a release is.
set -euo pipefail
binary=$(realpath "$1") store=$(realpath "$2")
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0
ok() { # NAME COMMAND...
  local name=$1
  shift
  if "$@"; then echo "ok $name"; else echo "FAIL $name"; failed=$((failed + 1)); fi
}
export RUNNER_TEMP=$work/temp RUNNER_OS=Linux RUNNER_ARCH=X64 GITHUB_PATH=$work/path GITHUB_OUTPUT=$work/output GITHUB_STEP_SUMMARY=$work/summary FNAUDIT_DB=$store
action=$root/.github/actions/fnaudit
BINARY=$binary bash "$action/install.sh" >/dev/null
export PATH=$(cat "$work/path"):$PATH
ok "installed" test "$(command -v fnaudit)" = "$work/temp/fnaudit-bin/fnaudit"
code=0
VERSION=main bash "$action/install.sh" > no.log 2>&1 || code=$?
ok "a branch is no release" test "$code" -eq 2

scan() { # VARIABLE=VALUE...: prints the exit code
  : > "$GITHUB_OUTPUT"
  : > "$GITHUB_STEP_SUMMARY"
  local code=0
  env UPDATE=false "$@" bash "$action/scan.sh" > scan.log 2> scan.err || code=$?
  echo "$code"
}
cp "$root"/testdata/functions/orders.zip "$root"/testdata/functions/report-py.zip .
code=$(scan TARGETS='*.zip' SARIF=out.sarif JSON=out.json COMMENT=out.md ARGS=$'--at\n2026-11-22')
ok "exit code is an output" grep -qx "exit-code=$code" "$GITHUB_OUTPUT"
ok "both functions are judged" grep -q '"functions": 2' out.json
ok "annotations" grep -q '^::notice title=fnaudit::2 functions' scan.log
ok "summary is the comment" cmp -s "$GITHUB_STEP_SUMMARY" out.md
ok "SARIF" grep -q '"version": "2.1.0"' out.sarif
cp orders.zip ./--policy.zip
code=$(scan TARGETS='--policy.zip' ARGS=$'--at\n2026-11-22' JSON=dash.json)
ok "a target that looks like an option" grep -q '"functions": 1' dash.json
touch "evil\$(touch pwned).zip"
scan TARGETS="evil\$(touch pwned).zip" > /dev/null
ok "no name is a script" test ! -e pwned
ok "nothing named" test "$(scan TARGETS=)" -eq 2
ok "missing target" test "$(scan TARGETS=missing.zip)" -eq 2
cp "$root"/testdata/functions/orders.zip one.zip
printf 'version: 1\nextends: builtin:report\n' > lax.yaml
ok "policy" test "$(scan TARGETS=one.zip POLICY=lax.yaml ARGS=$'--at\n2026-11-22')" -ne 1

if command -v buildah >/dev/null; then
  mkdir -p context && mkdir -m 1777 context/tmp context/db
  cp "$binary" context/fnaudit-linux-amd64
  cp /etc/ssl/certs/ca-certificates.crt context/
  export STORAGE_DRIVER=vfs
  buildah --root "$work/storage" --runroot "$work/run" bud --isolation chroot -q -f "$root/.github/image/Containerfile" -t fnaudit context > image.log 2>&1 || { cat image.log; failed=$((failed + 1)); }
  buildah --root "$work/storage" --runroot "$work/run" push -q fnaudit "oci:$work/layout" > /dev/null
  ok "the image audits itself" fnaudit sbom "oci:$work/layout" -o "cyclonedx-json=$work/image.json"
  ok "it holds the program" grep -q '"name": "github.com/anchore/syft"' "$work/image.json"
  if ldd "$binary" >/dev/null 2>&1; then
    echo "SKIPPED: the image was not started: BINARY is linked dynamically"
  else
    container=$(buildah --root "$work/storage" --runroot "$work/run" from fnaudit)
    ok "it runs" buildah --root "$work/storage" --runroot "$work/run" run --isolation chroot "$container" -- /usr/bin/fnaudit version
  fi
else
  echo "SKIPPED: the image was not built: no buildah"
fi
exit $((failed > 0))
