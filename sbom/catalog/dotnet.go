package catalog

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/dotnet"

	"github.com/fnaudit/fnaudit/sbom"
)

// dotnetInstalled finds the NuGet packages that NAME.deps.json says are in a
// published application
// (https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md).
// Assemblies that no deps.json names have only a version resource, whose
// product name is not a NuGet id: they stay unowned rather than guessed at.
func dotnetInstalled(ctx context.Context, a *artifact) {
	v := a.newView(a.opts.MaxManifest, func(p string) bool { return strings.HasSuffix(p, ".deps.json") })
	v.reduce = withoutDependencies
	roots := map[string]bool{}
	needs := map[string][]string{} // "Name/1.0.0" -> names
	for _, p := range v.files {
		roots[strings.TrimSuffix(path.Base(p), ".deps.json")] = true
		a.dotnetOwns(p, needs)
	}
	cfg := dotnet.DefaultCatalogerConfig() // packages that bring no assembly (analyzers, targets) are not in the bytes
	for _, p := range a.syft(ctx, dotnet.NewDotnetDepsBinaryCataloger(cfg), v) {
		m, ok := p.Metadata.(pkg.DotnetDepsEntry)
		if !ok || p.Name == "" {
			continue
		}
		name := p.Name
		if m.Type == "runtimepack" {
			// the SDK's own mark in front of the NuGet id
			name = strings.TrimPrefix(name, "runtimepack.")
		}
		f := found{
			typ: "nuget", name: name, version: p.Version, path: primary(&p), method: sbom.MethodInstalled, confidence: 0.99,
			licenses: a.syftLicences(&p), main: m.Type == "project" || m.Type == "" && roots[p.Name],
		}
		f.requires = needs[p.Name+"/"+p.Version]
		if sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sha512, "sha512-")); err == nil && len(sum) == 64 {
			f.hashes = map[string]string{"sha512": hex.EncodeToString(sum)}
		}
		a.add(f)
	}
}

// withoutDependencies drops the graph from a deps.json. What a package brings
// does not depend on it, and syft walks it in exponential time.
func withoutDependencies(_ string, data []byte) []byte {
	var doc map[string]json.RawMessage
	var targets map[string]map[string]map[string]json.RawMessage
	if json.Unmarshal(data, &doc) != nil || json.Unmarshal(doc["targets"], &targets) != nil {
		return data
	}
	for _, target := range targets {
		for _, lib := range target {
			delete(lib, "dependencies")
		}
	}
	plain, err := json.Marshal(targets)
	if err != nil {
		return data
	}
	doc["targets"] = plain
	out, err := json.Marshal(doc)
	if err != nil {
		return data
	}
	return out
}

// dotnetOwns records the files that a deps.json names, and the application's
// own assembly and host beside it. It adds what each library needs to needs.
func (a *artifact) dotnetOwns(p string, needs map[string][]string) {
	data, err := a.readJSON(p, a.opts.MaxManifest)
	if err != nil {
		return // the cataloger reports it
	}
	type assets struct {
		Runtime        map[string]json.RawMessage `json:"runtime"`
		RuntimeTargets map[string]json.RawMessage `json:"runtimeTargets"`
		Native         map[string]json.RawMessage `json:"native"`
		Resources      map[string]json.RawMessage `json:"resources"`
		Dependencies   map[string]json.RawMessage `json:"dependencies"`
	}
	var doc struct {
		Targets map[string]map[string]assets `json:"targets"`
	}
	if json.Unmarshal(data, &doc) != nil {
		return
	}
	dir := dirOf(p)
	own := func(files map[string]json.RawMessage) {
		for f := range files {
			a.owners.addFile(path.Join(dir, path.Clean("/"+f)))
			a.owners.addFile(path.Join(dir, path.Base(f))) // published flat
		}
	}
	for _, target := range doc.Targets {
		for id, lib := range target {
			if needs[id] == nil {
				needs[id] = slices.Sorted(maps.Keys(lib.Dependencies))
			}
			own(lib.Runtime)
			own(lib.RuntimeTargets)
			own(lib.Native)
			for f := range lib.Resources {
				a.owners.addFile(path.Join(dir, path.Base(dirOf(f)), path.Base(f))) // de/Name.resources.dll
			}
		}
	}
	name := strings.TrimSuffix(path.Base(p), ".deps.json")
	for _, own := range []string{name, name + ".dll", name + ".exe"} {
		a.owners.addFile(path.Join(dir, own))
	}
}
