#!/bin/sh
# Makes the SQLite fixtures with rpm itself (Debian: apt-get install rpm sqlite3).
# rpmdb.sqlite is a database that was closed cleanly, cut down to its table of
# packages; wal.sqlite and wal.sqlite-wal are the same database as a process
# leaves it that was killed: what the last transaction wrote is only in the log.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export SOURCE_DATE_EPOCH=1700000000

package() { # name version release epoch vendor files...
	name=$1 version=$2 release=$3 epoch=$4 vendor=$5
	shift 5
	spec=$tmp/$name.spec
	cat >"$spec" <<SPEC
Name: $name
Version: $version
Release: $release
${epoch:+Epoch: $epoch}
Summary: A package for a test
License: MIT
Vendor: $vendor
%description
A package for a test.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/$name
echo "$name" >%{buildroot}/usr/bin/$name
i=0; while [ \$i -lt 40 ]; do echo \$i >%{buildroot}/usr/share/$name/file\$i; i=\$((i+1)); done
%files
/usr/bin/$name
/usr/share/$name
%ghost /var/cache/$name
SPEC
	rpmbuild --quiet --define "_topdir $tmp/build" --define "_build_id_links none" --define "use_source_date_epoch_as_buildtime 1" \
		--define "_buildhost fixture" --target x86_64 -bb "$spec"
}

package alpha 1.2.3 4.el9 "" "Example"
package beta 0.9 1.el9 2 "Example"
package gamma 7 0.1.rc2.el9 0 "Example"
mkdir "$tmp/db"
for p in alpha beta gamma; do
	rpm --dbpath "$tmp/db" --justdb --nodeps --nosignature --ignoreos -i "$tmp"/build/RPMS/x86_64/$p-*.rpm
done
cut() {
	sqlite3 "$1" "SELECT name FROM sqlite_master WHERE type='table' AND name NOT IN ('Packages','sqlite_sequence')" |
		while read -r t; do echo "DROP TABLE \"$t\";"; done | sqlite3 "$1"
	sqlite3 "$1" 'PRAGMA page_size=1024; PRAGMA journal_mode=DELETE; VACUUM;' >/dev/null
}
cut "$tmp/db/rpmdb.sqlite"
cp "$tmp/db/rpmdb.sqlite" "$here/rpmdb.sqlite"

cp "$here/rpmdb.sqlite" "$tmp/wal.sqlite"
sqlite3 "$tmp/wal.sqlite" >/dev/null <<SQL
PRAGMA journal_mode=WAL;
PRAGMA wal_autocheckpoint=0;
DELETE FROM Packages WHERE hnum=2;
INSERT INTO Packages SELECT 9, blob FROM Packages WHERE hnum=3;
.shell cp $tmp/wal.sqlite $here/wal.sqlite
.shell cp $tmp/wal.sqlite-wal $here/wal.sqlite-wal
SQL
