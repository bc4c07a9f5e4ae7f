#!/usr/bin/env bash
# Put fnaudit on the PATH of the steps that follow: BINARY as it is, else the
# release VERSION of REPOSITORY for this machine, if the repository's own release
# workflow built it.
set -euo pipefail
bin=$RUNNER_TEMP/fnaudit-bin
mkdir -p "$bin"
suffix=
[ "$RUNNER_OS" != Windows ] || suffix=.exe
if [ -n "${BINARY:-}" ]; then
  cp "$BINARY" "$bin/fnaudit$suffix"
else
  case $RUNNER_OS in Linux) os=linux ;; macOS) os=darwin ;; Windows) os=windows ;; *) echo "::error title=fnaudit::no release for $RUNNER_OS"; exit 2 ;; esac
  case $RUNNER_ARCH in X64) arch=amd64 ;; ARM64) arch=arm64 ;; *) echo "::error title=fnaudit::no release for $RUNNER_ARCH"; exit 2 ;; esac
  if [[ ! "${VERSION:-}" =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
    echo "::error title=fnaudit::the action is not used by the tag of a release, so say which one: version: v1.0.0"
    exit 2
  fi
  file=fnaudit-$VERSION-$os-$arch$suffix
  gh release download "$VERSION" --repo "$REPOSITORY" --pattern "$file" --dir "$bin" --clobber
  gh attestation verify "$bin/$file" --repo "$REPOSITORY" --signer-workflow "$REPOSITORY/.github/workflows/release.yml" >/dev/null
  mv "$bin/$file" "$bin/fnaudit$suffix"
fi
chmod +x "$bin/fnaudit$suffix"
"$bin/fnaudit$suffix" version
echo "$bin" >> "$GITHUB_PATH"
