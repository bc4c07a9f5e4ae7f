package vulndb

import (
	"context"
	"testing"
)

// BenchmarkBuild builds the whole real feed: records a second.
func BenchmarkBuild(b *testing.B) {
	inputs := sharedFeed(b)
	n := 0
	for b.Loop() {
		s, err := Build(context.Background(), b.TempDir(), inputs, Options{})
		if err != nil {
			b.Fatal(err)
		}
		n += s.Records()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkOpen opens the store of the real feed: twelve files.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	if _, err := Build(context.Background(), dir, sharedFeed(b), Options{}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		db.Close()
	}
}

// BenchmarkMatch361 opens the store and looks up 361 packages, every seventh
// name of the npm advisories at a version below 1.0.0.
func BenchmarkMatch361(b *testing.B) {
	dir := b.TempDir()
	if _, err := Build(context.Background(), dir, sharedFeed(b), Options{}); err != nil {
		b.Fatal(err)
	}
	names := packageNames(b, dir, "npm")
	var packages []Package
	for i := 0; i < len(names) && len(packages) < 361; i += 7 {
		packages = append(packages, Package{Ecosystem: "npm", Name: names[i], Version: "0.9.0"})
	}
	for b.Loop() {
		db, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range packages {
			if _, err := db.Match(context.Background(), p); err != nil {
				b.Fatal(err)
			}
		}
		db.Close()
	}
	b.ReportMetric(float64(len(packages)), "packages")
}

// BenchmarkLookup reads the advisories of one package.
func BenchmarkLookup(b *testing.B) {
	dir := b.TempDir()
	if _, err := Build(context.Background(), dir, sharedFeed(b), Options{}); err != nil {
		b.Fatal(err)
	}
	db, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for name, p := range map[string]Package{
		"lodash":  {Ecosystem: "npm", Name: "lodash", Version: "4.17.15"},
		"absent":  {Ecosystem: "npm", Name: "no-such-package", Version: "1.0.0"},
		"django":  {Ecosystem: "PyPI", Name: "django", Version: "3.2"},
		"openssl": {Ecosystem: "Alpine:v3.10", Name: "libssl1.1", Source: "openssl", Version: "1.1.1c-r0"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := db.Match(context.Background(), p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// packageNames lists the names that an ecosystem's file has, sorted by bucket.
func packageNames(tb testing.TB, dir, ecosystem string) []string {
	db, err := Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	f := db.files[ecosystem]
	var names []string
	for k := range f.h.pkgBuckets {
		body, err := f.bucket(secPkgs, domainPkg, k)
		if err != nil {
			tb.Fatal(err)
		}
		for r := (bytesReader{b: body}); len(r.b) > 0; {
			names = append(names, string(r.take(r.uint())))
			for range r.uint() {
				r.uint()
				r.uint()
			}
		}
	}
	return names
}
