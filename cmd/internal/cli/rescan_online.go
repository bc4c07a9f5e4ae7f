package cli

import (
	"context"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// recorded reads of which ecosystems the functions have components: what a store
// may lack is known from their reports. Of one that cannot be read nothing is; the
// run says so.
func (n *nightly) recorded(ctx context.Context) ([]*finding.Report, error) {
	out := make([]*finding.Report, len(n.list))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n.list {
		g.Go(func() error {
			out[i] = &finding.Report{}
			if r, err := n.list[i].Newest.Load(); err == nil {
				out[i].Components = ecosystemsOf(r)
			}
			return ctx.Err()
		})
	}
	return out, g.Wait()
}

// ecosystemsOf is a component of each ecosystem that a function has some of, in
// memory of its own.
func ecosystemsOf(r *finding.Report) (out []finding.Component) {
	seen := map[string]bool{}
	for _, c := range r.Components {
		if !seen[c.Ecosystem] {
			seen[c.Ecosystem] = true
			out = append(out, finding.Component{Ecosystem: strings.Clone(c.Ecosystem)})
		}
	}
	return out
}
