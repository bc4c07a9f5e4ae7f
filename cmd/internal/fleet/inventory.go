package fleet

import (
	"cmp"
	"slices"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Inventory is what several exports say together: each version of a function once,
// sorted.
type Inventory struct {
	Exports    []finding.FleetExport
	Deployed   []finding.Deployed
	Superseded []finding.Deployed // what an older export says of one of them, and a newer one otherwise
}

// key is a version of a function. Where no ARN says whose it is, it is that of its file.
type key struct{ account, region, name, version, source string }

func keyOf(d *finding.Deployed) key {
	k := key{account: d.Account, region: d.Region, name: d.Name, version: d.Version}
	if d.ARN == "" {
		k.source = d.Source
	}
	return k
}

// Merge puts exports together. Of entries that differ about one version the one
// that was modified last counts; where that cannot be told, nobody knows which
// bytes run. Times after now are not believed. The result does not depend on the
// order of the exports, but for theirs.
func Merge(exports []*Export, now time.Time) Inventory {
	var inv Inventory
	var keys []key
	groups := map[key][]finding.Deployed{}
	digests := layerDigests(exports)
	for _, e := range exports {
		said := finding.FleetExport{Source: e.Source, Layers: len(e.Layers), Problem: e.Problem}
		for _, d := range e.Entries {
			if d.Modified.After(now.Add(24 * time.Hour)) {
				d.Modified = time.Time{}
			}
			d.Layers = slices.Clone(d.Layers)
			for i, l := range d.Layers {
				d.Layers[i].Digest = digests[l.ARN]
			}
			k := keyOf(&d)
			if groups[k] == nil {
				keys = append(keys, k)
			}
			said.Versions++
			if i := slices.IndexFunc(groups[k], func(have finding.Deployed) bool { return same(&have, &d) }); i >= 0 {
				said.Duplicates++
				if have := &groups[k][i]; d.Modified.After(have.Modified) {
					have.Modified = d.Modified
				}
				continue
			}
			if len(groups[k]) < maxClash {
				groups[k] = append(groups[k], d)
			}
		}
		inv.Exports = append(inv.Exports, said)
	}
	for _, k := range keys {
		inv.settle(groups[k])
	}
	inv.alias(exports)
	slices.SortFunc(inv.Deployed, compareDeployed)
	slices.SortFunc(inv.Superseded, compareDeployed)
	return inv
}

// maxClash bounds how many different entries about one version are kept: with
// more, as with two, nobody knows more than the times say.
const maxClash = 16

// same says whether two entries say the same about what runs.
func same(a, b *finding.Deployed) bool {
	return a.Digest == b.Digest && a.DigestReason == b.DigestReason && a.Package == b.Package && a.Runtime == b.Runtime && slices.Equal(a.Layers, b.Layers)
}

// settle takes the entry that counts of those about one version.
func (inv *Inventory) settle(entries []finding.Deployed) {
	slices.SortStableFunc(entries, func(a, b finding.Deployed) int {
		return cmp.Or(b.Modified.Compare(a.Modified), compareDeployed(a, b))
	})
	first := entries[0]
	if len(entries) > 1 && (entries[len(entries)-1].Modified.IsZero() || entries[1].Modified.Equal(first.Modified)) {
		first.Digest, first.DigestReason = "", "two entries differ about it, and nothing says which is newer"
		inv.Superseded = append(inv.Superseded, entries[0])
	}
	inv.Deployed = append(inv.Deployed, first)
	inv.Superseded = append(inv.Superseded, entries[1:]...)
}

// layerDigests joins what the exports say of layers. A version of a layer never
// changes, so that two digests of one are a contradiction: none is believed.
func layerDigests(exports []*Export) map[string]string {
	out := map[string]string{}
	for _, e := range exports {
		for arn, digest := range e.Layers {
			if before, twice := out[arn]; twice && before != digest {
				digest = ""
			}
			out[arn] = digest
		}
	}
	return out
}

// maxAliases bounds the aliases of one version that are kept.
const maxAliases = 50

// alias notes the aliases of versions.
func (inv *Inventory) alias(exports []*Export) {
	names := map[[2]string][]string{}
	for _, e := range exports {
		for _, a := range e.aliases {
			k := [2]string{a.function, a.version}
			names[k] = append(names[k], a.name)
		}
	}
	if len(names) == 0 {
		return
	}
	for i := range inv.Deployed {
		d := &inv.Deployed[i]
		if f, ok := parseFunction(d.ARN); ok {
			list := slices.Compact(slices.Sorted(slices.Values(names[[2]string{f.bare(), cmp.Or(d.Version, "$LATEST")}])))
			d.Aliases = list[:min(len(list), maxAliases)]
		}
	}
}

// compareDeployed orders by account, region, name and version, $LATEST first and
// numbers as numbers.
func compareDeployed(a, b finding.Deployed) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name),
		compareVersion(a.Version, b.Version), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Digest, b.Digest), a.Modified.Compare(b.Modified))
}

func compareVersion(a, b string) int {
	number := func(s string) int {
		if s == "$LATEST" {
			return 0
		}
		return len(s)
	}
	return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(a, b))
}
