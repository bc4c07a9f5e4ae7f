package report

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestWorstFirst: what is kept of many is the beginning of all of them in order,
// up to enough, and no more.
func TestWorstFirst(t *testing.T) {
	type function struct {
		rank int
		name string
		what string
	}
	random := rand.New(rand.NewPCG(1, 2))
	ranks := []finding.Decision{finding.Fail, finding.Incomplete, finding.Pass}
	for range 200 {
		enough := random.IntN(40)
		l := worstFirst[string]{enough: enough, size: func(s string) int { return len(s) }}
		var all []function
		for i := range random.IntN(60) {
			f := function{random.IntN(3), fmt.Sprint(random.IntN(8)), strings.Repeat("x", random.IntN(9)) + fmt.Sprint(i)}
			if random.IntN(3) == 0 {
				f.what = ""
			}
			if f.what != "" {
				all = append(all, f)
			}
			l.add(&finding.Report{Name: f.name, Verdict: finding.Verdict{Decision: ranks[f.rank]}}, func() string { return f.what })
		}
		slices.SortStableFunc(all, func(a, b function) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.name, b.name)) })
		var want, got []string
		for sum, i := 0, 0; i < len(all) && sum < enough; i++ {
			want, sum = append(want, all[i].what), sum+len(all[i].what)
		}
		for _, w := range l.list {
			got = append(got, w.what)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q of %v up to %d, want %q", got, all, enough, want)
		}
	}
}
