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

	masters map[string]string // of which function a replica is one, by its ARN: the name
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
	inv := Inventory{masters: masters(exports)}
	var keys []key
	groups := map[key][]finding.Deployed{}
	digests := layerDigests(exports)
	tags, differ := tagsOf(exports)
	for i, e := range exports {
		said := finding.FleetExport{Source: e.Source, Layers: len(e.Layers), Tagged: len(e.tags), Problem: e.Problem}
		if said.Problem == "" && differ[i] != nil {
			said.Problem = tagProblem(differ[i])
		}
		for _, d := range e.Entries {
			if d.Modified.After(now.Add(24 * time.Hour)) {
				d.Modified = time.Time{}
			}
			d.Layers = slices.Clone(d.Layers)
			for i, l := range d.Layers {
				d.Layers[i].Digest = digests[l.ARN]
			}
			if f, ok := parseFunction(d.ARN); ok {
				d.Tags = tags[f.bare()]
			}
			k := keyOf(&d)
			if groups[k] == nil {
				keys = append(keys, k)
			}
			said.Versions++
			if i := slices.IndexFunc(groups[k], func(have finding.Deployed) bool { return same(&have, &d) }); i >= 0 {
				said.Duplicates++
				complete(&groups[k][i], &d)
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
	inv.alias(exports, tags)
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

// complete adds to an entry what another one that says the same says beside: the
// answer to get-function has a state, and a list has none.
func complete(have, d *finding.Deployed) {
	if d.Modified.After(have.Modified) {
		have.Modified = d.Modified
	}
	have.State = max(have.State, d.State)
	have.Architecture = max(have.Architecture, d.Architecture)
	have.Size = max(have.Size, d.Size)
	if d.ARN == "" && have.Tags == nil {
		have.Tags = d.Tags
	}
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

// masters joins what the exports say of replicas. Of two that differ the first name
// in the alphabet counts: it only helps to find a report that is about other bytes.
func masters(exports []*Export) map[string]string {
	out := map[string]string{}
	for _, e := range exports {
		for arn, name := range e.masters {
			if have, ok := out[arn]; !ok || name < have {
				out[arn] = name
			}
		}
	}
	return out
}

// maxAliases bounds the aliases of one version that are kept.
const maxAliases = 50

// alias notes the aliases of versions. A version that gets calls by an alias and
// that no export lists runs all the same: which bytes, nobody knows.
func (inv *Inventory) alias(exports []*Export, tags map[string][]string) {
	type version struct{ function, version string }
	names := map[version][]alias{}
	from := map[version]string{}
	for _, e := range exports {
		for _, a := range e.aliases {
			k := version{a.function, a.version}
			names[k] = append(names[k], a)
			if have, ok := from[k]; !ok || e.Source < have {
				from[k] = e.Source
			}
		}
	}
	unplaced := map[version]bool{} // by the name alone: their export does not say where
	for i := range inv.Deployed {
		d := &inv.Deployed[i]
		if d.ARN == "" {
			unplaced[version{d.Name, cmp.Or(d.Version, "$LATEST")}] = true
		}
		if f, ok := parseFunction(d.ARN); ok {
			k := version{f.bare(), cmp.Or(d.Version, "$LATEST")}
			name(d, names[k])
			delete(names, k)
		}
	}
	for k, list := range names {
		list = slices.DeleteFunc(list, func(a alias) bool { return a.weight == 0 })
		f, ok := parseFunction(k.function)
		if !ok || len(list) == 0 || unplaced[version{f.name, k.version}] {
			continue
		}
		d := finding.Deployed{Name: f.name, ARN: k.function, Account: f.account, Region: f.region, Version: k.version, Source: from[k]}
		if k.version != "$LATEST" {
			d.ARN += ":" + k.version
		}
		name(&d, list)
		d.Tags = tags[f.bare()]
		d.DigestReason = "the alias " + d.Aliases[0] + " sends calls to version " + k.version + ", and no export lists that: save what aws lambda list-functions --function-version ALL answers, and give it too"
		inv.Deployed = append(inv.Deployed, d)
	}
}

// name notes the aliases of a version.
func name(d *finding.Deployed, list []alias) {
	slices.SortFunc(list, func(a, b alias) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.weight, b.weight))
	})
	list = slices.Compact(list)
	for i, a := range list {
		if i > 0 && list[i-1].name == a.name {
			continue // two exports differ: the smaller share is said
		}
		if len(d.Aliases) == maxAliases {
			return
		}
		d.Aliases = append(d.Aliases, a.name)
		if a.weight < 1 {
			d.Routes = append(d.Routes, finding.DeployedRoute{Alias: a.name, Weight: a.weight})
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
