// Package vulndb is what is known against packages: a store of advisories in
// OSV format, compiled once and then only looked up, and the rules that say
// which advisory holds for which version.
//
//	db, err := vulndb.Open(dir)          // or Starter() when there is no store
//	r, err := db.Match(ctx, vulndb.Package{Ecosystem: "npm", Name: "lodash", Version: "4.17.15"})
//	groups := vulndb.Groups(pkg, r.Matches)
//
// # The store
//
// A folder holds eco/<ecosystem>-<sha256>.fdb, one immutable file for each
// ecosystem (layout.go has the format), and snapshot.json, which names them.
// An update writes new files beside the old ones and then replaces
// snapshot.json by one rename, so that whoever opens the store sees the old or
// the new one as a whole, also when the update is killed. Writers take a lock,
// readers none: an open DB keeps the files that it has mapped. The id of a
// snapshot is the sha256 of its ecosystems and their files' digests, and a
// file depends on its feed alone, so the same id is the same knowledge.
//
// A lookup verifies a checksum over everything that it trusts, so that damage
// is an error and never a missing advisory (TestDamage changes every byte of a
// file). Check reads everything.
//
// Beside them lie feeds/<list>-<sha256>.feed, lists that say more about the
// flaws, by CVE: whether one is known to be exploited (KEV), and how likely it is
// that one will be (EPSS). list.go has their format. Each has a date of its own,
// which a store's age does not depend on, and the id of a snapshot covers
// them: what is judged depends on them. Measured on 2026-11-28 with
// BenchmarkScore, 300,000 scores: a file of 4.8 MB, looked up in 3 µs.
//
// What is kept of a record is what a report or a later question needs: ids,
// summary, ratings, ranges, versions, references, dates, the import paths and
// symbols of Go records. The long description is dropped: nearly a quarter
// of the feed, and nothing is judged by it.
//
// Measured on 2026-11-25 on two cores that others kept busy, with
//
//	FNAUDIT_SHARED=... go test -run SharedFeed -bench . -v ./vulndb
//	FNAUDIT_FEED=...   go test -bench 'Open|Lookup|Match' ./vulndb
//
//	 26,535 records of 12 ecosystems (27.0 MB zipped, 64.6 MB of JSON):
//	    store of 9.4 MB, built in 0.8 s of CPU and 64 MB, opened in 0.6 ms
//	250,000 synthetic npm records (205 MB zipped):
//	    store of 30 MB, built in 5.1 s of CPU and 120 MB, opened in 0.06 ms
//	500,000 (390 MB zipped):
//	    store of 61 MB, built in 9.9 s of CPU and 182 MB, opened in 0.04 ms,
//	    lodash found and matched in 9 µs, an absent name in 1 µs
//
// # Why matching is ours
//
// osv-scanner is the reference for what an OSV record means, and its offline
// matcher cannot be used as it is. It parses a whole export on each run (2.2 s
// for 4,155 npm records in the run below, on a busy machine, where a lookup
// here takes microseconds), and three flaws of it (osv-scalibr at the version that osv-scanner 2.5.0 uses) would
// be ours:
//
//   - it gives up at the first GIT range of an affected entry. In 1,547 PyPI
//     entries of the test feed that hides what follows;
//   - it panics on a version that it cannot parse;
//   - it ignores limit events.
//
// So matching is written here from the schema (section "Evaluation"), over the
// same version orders (package version), and osv-scanner is the oracle: the
// module testdata/oracle asks both about versions at and around every range
// boundary of every package of a real feed, and fails on each difference whose
// cause it cannot prove. On 2026-11-25, over 26,535 records:
//
//	cd testdata/oracle && FNAUDIT_SHARED=... go test -v ./...
//
//	1,201,330 pairs of package and version in nine ecosystems
//	3,694,929 ids that osv-scanner reports
//	  245,957 more from us: the first flaw
//	    7,511 more from us: it compares names by spelling, while NuGet ignores
//	        case and PyPI normalises names (PEP 503)
//	    4,405 more, 9,740 fewer: it compares versions by spelling, while npm, pip
//	        and Composer write a leading "v" or "=", and a Gemfile.lock adds a
//	        gem's platform
//	    6,484 more, 11,205 fewer: its order lacks a rule of the registry's own
//	        tool: Composer fills up to four numbers and drops build metadata,
//	        apk places _cvs above no suffix
//	      612 more from us: PEP 440 lets "<=1.0" hold for 1.0+local
//	   20,862 that it reports of what is no version ("latest"): here they are
//	        possibly affected (Result.Unversioned)
//	        0 without a cause
//
// # Rules that go beyond the schema
//
//   - A package without a version, or with what is no version in its
//     ecosystem ("latest", a Git URL), is possibly affected by everything that
//     is known under its name: Result.Unversioned. So is one whose advisory
//     has a range that cannot be read.
//   - A release of a distribution matches records for it and records without
//     a release. Ubuntu's "Pro:" entries stand in for a release that is not
//     listed itself (Advisory.entries).
//   - A PyPI version with a local part is judged as itself and as its public
//     version; PEP 440 says that "<=2.0.1" holds for 2.0.1+cu118.
//   - A SEMVER range is evaluated in the order of the ecosystem, as
//     osv-scanner does: they differ only where a version is no SemVer.
//   - A record belongs to the file of its export. The export lists a record in
//     the archive of each ecosystem that it names, so entries of other
//     ecosystems are not indexed a second time.
//   - RustSec's "unmaintained" and "notice" report no flaw: severity none,
//     unless a record of the group rates it. "unsound" is unknown if unrated.
package vulndb
