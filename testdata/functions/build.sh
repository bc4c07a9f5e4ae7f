#!/usr/bin/env bash
# Builds the packages of this folder from their sources: npm packages through
# the user's own npm configuration, Python and Ruby packages from Debian 12,
# Go modules through the user's own GOPROXY. The output is byte for byte the
# same with the Go release that go.mod names and the versions below; SHA256SUMS
# says whether it is. Needs: go, npm, apt-get, dpkg-deb (Debian 12).
#
#   bash testdata/functions/build.sh [OUT]     OUT: default is this folder
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
out=$(mkdir -p "${1:-$here}" && cd "${1:-$here}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/recipe" && go build -o "$work/recipe" main.go)
pack() { "$work/recipe" pack "$1" "$out/$2"; }

# npm: what the lockfile says, without scripts. Of each package, what a function
# does not load is left out, as pruning tools do, so that the files stay small.
node() { # SOURCE OUT [PREFIX]
  local stage=$work/$1 prefix=${3:-}
  mkdir -p "$stage/$prefix"
  cp -R "$here/src/$1/." "$stage/$prefix"
  (cd "$stage/$prefix" && npm ci --ignore-scripts --no-bin-links --no-audit --no-fund --loglevel=error >/dev/null)
  find "$stage" -path '*/node_modules/*' -type d \( -name dist -o -name test -o -name fp \) -prune -exec rm -rf {} +
  find "$stage" -path '*/node_modules/*' -type f ! -iname 'licen[sc]e*' \
    \( -name '*.md' -o -name '*.map' -o -name '*.min.js' -o -name '*.d.ts' -o -name bower.json -o -name component.json \
       -o -name '.e*' -o -name '.travis.yml' -o -name '.npmignore' -o -name 'Gruntfile.js' \) -delete
  pack "$stage" "$2"
}
node orders-modules orders-modules.zip
node status status.zip
node billing billing.zip
node layer-http layer-http.zip nodejs
node layer-http-patch layer-http-patch.zip nodejs
node azure-orders azure-orders.zip

# One file for all packages, as deployment tools bundle a function by default.
# The lockfile does not go with it: it stays beside the zip.
mkdir -p "$work/orders/out"
cp -R "$here/src/orders/." "$work/orders"
(cd "$work/orders" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null &&
  npx --no-install esbuild index.js --bundle --platform=node --target=node20 --outfile=out/index.js --log-level=warning)
mkdir "$work/orders/out/licenses"
find "$work/orders/node_modules" -maxdepth 2 -iname 'licen[sc]e*' -type f | LC_ALL=C sort | while read -r file; do
  cp "$file" "$work/orders/out/licenses/$(basename "$(dirname "$file")").txt"
done
rm -f "$work"/orders/out/licenses/esbuild.txt
pack "$work/orders/out" orders.zip
cp "$here/src/orders/package-lock.json" "$out/orders.package-lock.json"

pack "$here/src/google-greeter" google-greeter.zip   # source only: the platform installs

# Debian: package=version, so that a later point release is an error and not another zip.
deb() { # DIR PACKAGE=VERSION...
  local dir=$1 name
  shift
  mkdir -p "$work/deb" "$dir"
  (cd "$work/deb" && apt-get download -qq -o APT::Sandbox::User=root "$@")
  for spec in "$@"; do
    name=${spec%%=*}
    dpkg-deb -x "$work"/deb/"$name"_*.deb "$dir"
  done
}
licences() { # ROOT OUT: the copyright files of what was unpacked
  mkdir -p "$2"
  for file in "$1"/usr/share/doc/*/copyright; do cp "$file" "$2/$(basename "$(dirname "$file")").txt"; done
}
deb "$work/py" python3-requests=2.28.1+dfsg-1 python3-urllib3=1.26.12-1+deb12u4 python3-idna=3.3-1+deb12u1 \
  python3-charset-normalizer=3.0.1-2 python3-six=1.16.0-4
mkdir "$work/report-py"
cp "$here"/src/report-py/* "$work/report-py"
cp -R "$work"/py/usr/lib/python3/dist-packages/. "$work/report-py"
licences "$work/py" "$work/report-py/licenses"
pack "$work/report-py" report-py.zip

deb "$work/rb" ruby-rack=2.2.22-0+deb12u1 ruby-addressable=2.8.1-1 ruby-public-suffix=4.0.6+ds-2
gems=$work/hook-rb/vendor/bundle/ruby/3.2.0
mkdir -p "$gems"
cp "$here"/src/hook-rb/* "$work/hook-rb"
cp -R "$work"/rb/usr/share/rubygems-integration/all/. "$gems"
mkdir -p "$gems/gems/addressable-2.8.1/lib"
[ ! -d "$work/rb/usr/lib/ruby/vendor_ruby" ] || cp -R "$work"/rb/usr/lib/ruby/vendor_ruby/. "$gems/gems/addressable-2.8.1/lib"
licences "$work/rb" "$work/hook-rb/licenses"
pack "$work/hook-rb" hook-rb.zip

# Go: a custom runtime in one binary, stripped, with one old module.
mkdir -p "$work/resize-go/licenses"
(cd "$here/src/resize-go" && CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOFLAGS=-mod=readonly \
  go build -trimpath -buildvcs=false -ldflags '-s -w -buildid=' -o "$work/resize-go/bootstrap" .)
cp "$(go env GOROOT)/LICENSE" "$work/resize-go/licenses/go.txt"
cp "$(cd "$here/src/resize-go" && go list -m -f '{{.Dir}}' golang.org/x/text)/LICENSE" "$work/resize-go/licenses/golang.org-x-text.txt"
chmod u+w "$work"/resize-go/licenses/*
pack "$work/resize-go" resize-go.zip

"$work/recipe" odd "$out/odd.zip"
(cd "$out" && sha256sum ./*.zip | sed 's# \./# #' | LC_ALL=C sort -k2 > SHA256SUMS && cat SHA256SUMS && ls -l ./*.zip)
