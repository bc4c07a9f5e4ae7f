package catalog

import (
	"context"
	"slices"

	"github.com/fnaudit/fnaudit/sbom/jsbundle"
)

// vendored looks into the large scripts of npm packages that are bundles of
// other packages, by their first bytes. What is found there was built by the
// publisher: no lockfile of the function knows its version. Of an image only
// those bytes are looked at that are at hand, since its layers would have to be
// inflated again.
func (a *artifact) vendored(ctx context.Context) {
	var list []int
	for i := range a.files {
		f := &a.files[i]
		if f.Link == "" && mayVendor(f.Path, f.Size) && !a.owners.vouched(f.Path) {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, a.vol.Compare)
	var bundles []int
	inOrder(ctx, a.helpers, len(list), func(i int, may *bool, s *scratch) {
		n := jsbundle.VendorHead
		if a.vol.ImageLayer(list[i]) >= 0 {
			n = sniffed
		}
		if cap(s.buf) < n {
			s.buf = make([]byte, n)
		}
		got, _ := a.tree.Peek(a.files[list[i]].Path, s.buf[:n]) // what cannot be read is not looked at here
		*may = jsbundle.MayVendor(s.buf[:got])
	}, func(i int, may *bool) {
		if !*may {
			return
		}
		if err := a.promise(a.files[list[i]].Size, a.opts.MaxScript); err != nil {
			a.unread(a.files[list[i]].Path, err)
			return
		}
		bundles = append(bundles, list[i])
	})
	type inside struct {
		claims []jsbundle.Claim
		err    error
	}
	inOrder(ctx, a.helpers, len(bundles), func(i int, r *inside, s *scratch) {
		p := a.files[bundles[i]].Path
		var src []byte
		if src, r.err = a.readPromised(p, a.opts.MaxScript, s); r.err == nil {
			r.claims = jsbundle.Vendored(packageOf(p), p, src)
		}
	}, func(i int, r *inside) {
		p := a.files[bundles[i]].Path
		if r.err != nil {
			a.unread(p, r.err)
		}
		for _, f := range join(&bundled{path: p, claims: r.claims}, nil) {
			f.bundled, f.copied = false, true
			f.note("in a file that " + clip(packageOf(p)) + " was published with")
			a.add(f)
		}
	})
}

// mayVendor reports whether a file of an npm package may be such a bundle by its
// name and its size in bytes.
func mayVendor(p string, size int64) bool {
	return script(p) && npmHome(p) != "" && jsbundle.VendorName(p[lastNodeModules(p):], size)
}

// packageOf returns the name of the package that a file in node_modules is of.
func packageOf(p string) string {
	home := npmHome(p)
	return home[max(lastNodeModules(home), 0):]
}
