package vulndb

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"
)

func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
func TestZZ(t *testing.T) {
	if os.Getenv("ZZ") == "" {
		t.Skip()
	}
	dir := t.TempDir()
	c := cpu()
	w := time.Now()
	Build(context.Background(), dir, sharedFeed(t), Options{})
	t.Log("build cpu", cpu()-c, "wall", time.Since(w))
	names := packageNames(t, dir, "npm")
	run := func(what string, n int, f func()) {
		c := cpu()
		w := time.Now()
		for i := 0; i < n; i++ {
			f()
		}
		t.Log(what, (cpu()-c)/time.Duration(n), time.Since(w)/time.Duration(n))
	}
	run("open", 300, func() { db, _ := Open(dir); db.Close() })
	var packages []Package
	for i := 0; i < len(names) && len(packages) < 361; i += 7 {
		packages = append(packages, Package{Ecosystem: "npm", Name: names[i], Version: "0.9.0"})
	}
	run("361", 50, func() {
		db, _ := Open(dir)
		for _, p := range packages {
			db.Match(context.Background(), p)
		}
		db.Close()
	})
	db, _ := Open(dir)
	defer db.Close()
	for _, p := range []Package{{Ecosystem: "npm", Name: "lodash", Version: "4.17.15"}, {Ecosystem: "PyPI", Name: "django", Version: "3.2"}, {Ecosystem: "npm", Name: "lodashx", Version: "4.17.15"}} {
		run(p.Name, 200, func() { db.Match(context.Background(), p) })
	}
}
