package audit

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/registry"
	"github.com/fnaudit/fnaudit/sbom/resolve"
)

// Asked is a package that somebody asks about before it is taken in, or a
// lockfile that was read.
type Asked struct {
	Name    string           // as it was named: "npm:axios@1.9.0", or the path of the lockfile
	Package registry.Package // zero for a lockfile
	Version string           // "": the one that the registry installs when none is asked for
	Locked  *sbom.SBOM       // what the lockfile pins; nil for a package
	Lines   Lines            // of the lockfile
}

// Package audits a package that is not in yet, or what a lockfile pins, as if
// it were a function: the same checks, the same findings, the same policy. As of
// [Auditor.Function], only a cancelled ctx is an error.
func (a *Auditor) Package(ctx context.Context, asked Asked) (*finding.Report, error) {
	if asked.Locked != nil {
		return a.lockfile(ctx, asked)
	}
	v := &vetting{a: a, asked: asked, rep: finding.NewReport(asked.Name, asked.Name), bom: &sbom.SBOM{}}
	v.rep.Vetted = &finding.Vetted{}
	defer func() { v.opened.Close() }()
	if v.rep.Ran("open", v.facts(ctx)) {
		if err := v.tree(ctx); err != nil {
			return nil, err
		}
		f := v.archive(ctx)
		if f != nil {
			defer f.Close()
		}
		v.rep.Ran("catalog", v.catalog(ctx, f))
		if a.DeepTree {
			o, err := a.archivesOf(ctx, v.rep, v.components[1:])
			if err != nil {
				return nil, err
			}
			v.components = append(v.components, o.found...)
		}
		v.bom.Components = sbom.Merge(append(v.bom.Components, v.components...))
		addSBOM(v.rep, v.bom)
		a.check(ctx, v.rep, &Subject{Name: v.rep.Name, Function: f, SBOM: v.bom, Vetted: true})
	}
	return v.rep, a.finish(ctx, v.rep)
}

// lockfile audits what a lockfile pins.
func (a *Auditor) lockfile(ctx context.Context, asked Asked) (*finding.Report, error) {
	rep := finding.NewReport(asked.Name, asked.Name)
	rep.Vetted = &finding.Vetted{Lockfile: asked.Name, Tree: "lockfile", Dependencies: len(asked.Locked.Components)}
	rep.Ran("open", nil)
	rep.Ran("catalog", nil)
	s := &Subject{Name: rep.Name, SBOM: asked.Locked, Vetted: true, Lockfile: true}
	if a.DeepTree {
		o, err := a.archivesOf(ctx, rep, asked.Locked.Components)
		if err != nil {
			return nil, err
		}
		s.Archives = o.sums
		asked.Locked.Components = sbom.Merge(append(asked.Locked.Components, o.found...))
	}
	addSBOM(rep, asked.Locked)
	placeInLocks(rep, []Lines{asked.Lines})
	if len(asked.Locked.Components) == 0 {
		rep.Unknowns = append(rep.Unknowns, finding.Unknown{Path: asked.Name, Kind: string(sbom.Opaque), Code: true, Reason: "the lockfile pins no package, so there was nothing to judge"})
	}
	a.check(ctx, rep, s)
	return rep, a.finish(ctx, rep)
}

// vetting is one package while it is asked about.
type vetting struct {
	a     *Auditor
	asked Asked
	rep   *finding.Report

	known      registry.Facts
	version    string            // "" when it is not known
	opened     *registry.Archive // nil when it could not be had
	components []sbom.Component
	bom        *sbom.SBOM
}

// facts asks the registry for the package, and settles which version it is.
func (v *vetting) facts(ctx context.Context) error {
	v.known = registry.Facts{Package: v.asked.Package, Reason: "no registry was asked"}
	if v.a.Registry != nil {
		var err error
		if v.known, err = v.ask(ctx); err != nil {
			return err
		}
	}
	if v.version = v.asked.Version; v.version == "" {
		v.version = v.known.Default
	}
	v.components = append(v.components, v.named())
	v.rep.Vetted.Component = v.components[0].PURL
	v.doubt()
	return nil
}

// ask asks for the version that was named, or for the one that is installed when
// none is.
func (v *vetting) ask(ctx context.Context) (registry.Facts, error) {
	version := v.asked.Version
	for {
		all, err := v.a.Registry.Ask(ctx, []registry.Question{{Package: v.asked.Package, Version: version}})
		if err != nil {
			return registry.Facts{}, err
		}
		if f := all[0]; version != "" || f.Default == "" {
			return f, nil
		}
		version = all[0].Default
	}
}

// tree adds what the package needs to run. What is not known of it is an
// unknown, so that nothing passes because it was not seen.
func (v *vetting) tree(ctx context.Context) error {
	if v.a.Registry == nil || v.known.Find(v.version) == nil {
		return nil // said already
	}
	t, err := resolve.Of(ctx, v.a.Registry, v.asked.Package, v.version, resolve.Limits{Python: v.a.newestPython()})
	if err != nil {
		return err
	}
	v.rep.Vetted.Tree, v.rep.Vetted.Environment = t.Source, t.Environment
	if t.Environment != "" { // a registry tells what is needed elsewhere, too
		v.components[0].Requires = nil
	}
	for _, n := range t.Nodes {
		if n.Direct && (n.Package.System == registry.Go || t.Environment != "") { // whose registries tell it of the newest version only
			v.components[0].Requires = append(v.components[0].Requires, n.Package.Name)
		}
		c := declared(n.Package, n.Version)
		c.Requires = n.Needs
		c.Evidence = []sbom.Evidence{{Method: sbom.MethodResolved, Confidence: 0.9, Detail: "what " + v.asked.Name + " needs, by " + t.Source + through(n)}}
		v.components = append(v.components, c)
		v.rep.Vetted.Dependencies++
		if n.Direct {
			v.rep.Vetted.Direct++
		}
	}
	for _, g := range t.Gaps {
		if g.Package.Name == "" {
			v.unknown("what it needs is not known: " + g.Reason)
			continue
		}
		v.rep.Vetted.Unresolved++
		u := finding.Unknown{Path: g.Package.String(), Kind: string(sbom.Opaque), Reason: "needed by " + v.asked.Name + ", and not resolved: " + g.Reason,
			Origin: string(sbom.OriginApp), PURL: sbom.PURL(string(g.Package.System), g.Package.Name, ""), Code: true}
		v.rep.Unknowns = append(v.rep.Unknowns, u)
	}
	return nil
}

// through says through which packages one is needed; "" when the package asks
// for it itself, or when that is not known.
func through(n resolve.Node) string {
	if len(n.Through) == 0 {
		return ""
	}
	return ", through " + strings.Join(n.Through, " > ")
}

// archive opens the published archive as if it were installed; nil when it
// cannot be had. One that contradicts its registry is a finding.
func (v *vetting) archive(ctx context.Context) *bundle.Function {
	switch {
	case v.a.Registry != nil && v.known.Find(v.version) != nil:
	case v.known.Answer == registry.Absent:
		v.rep.Vetted.Lacks = "there is no such package"
		return nil
	default:
		v.rep.Vetted.Lacks = "nothing is known of it"
		return nil
	}
	got, err := Published(ctx, v.a.Registry, v.asked.Package, v.version)
	if errors.Is(err, registry.ErrChanged) {
		v.rep.Findings = append(v.rep.Findings, changedArchive(v.rep.Vetted.Component, v.known.Source, err))
	}
	if err != nil {
		v.rep.Vetted.Lacks = err.Error()
		return nil
	}
	f, err := openPublished(ctx, v.asked.Name, v.asked.Package, got)
	if err != nil {
		got.Close()
		v.rep.Vetted.Lacks = err.Error()
		v.unknown("its published archive cannot be read: " + err.Error())
		return nil
	}
	v.opened = got
	v.rep.Vetted.Archive = string(f.Code.Digest)
	v.rep.Artifacts = append(v.rep.Artifacts, finding.Artifact{Ref: v.asked.Name, Kind: string(f.Code.Kind), Digest: string(f.Code.Digest), Size: f.Code.Size})
	return f
}

// catalog looks into the archive. What a registry says of a version must be what
// the archive says that it is: one that calls itself otherwise hides something.
func (v *vetting) catalog(ctx context.Context, f *bundle.Function) error {
	if f == nil {
		return nil
	}
	bom, err := v.a.catalog(ctx, f)
	if err != nil {
		return err
	}
	system := v.asked.Package.System
	if !callsItself(bom, system, v.rep.Vetted.Component) {
		v.unknown("its published archive does not say that it is " + v.rep.Vetted.Component)
	}
	own := func(c sbom.Component) bool { // what its author's working tree is built with: go.mod of a dependency replaces nothing
		return system == registry.Go && v.rep.Vetted.Tree != "" && c.State == sbom.Declared
	}
	bom.Components = slices.DeleteFunc(bom.Components, func(c sbom.Component) bool { return c.Main || own(c) }) // the package is what is asked about, and not a function
	v.bom = bom
	return nil
}

// doubt says what is not known of the package itself. Nobody can call it judged then.
func (v *vetting) doubt() {
	why := ""
	switch {
	case v.known.Answer == registry.Unknown:
		why = "nothing is known of it: " + v.known.Reason
		if v.a.Registry == nil || !v.a.Registry.Online {
			why += " (" + finding.NotAsked + ")"
		}
	case v.known.Answer == registry.Absent:
		why = finding.NoSuchPackage
	case v.version == "":
		why = "the registry does not say which version is installed when none is asked for: name one"
	case v.known.Find(v.version) == nil:
		why = finding.NoSuchVersion + v.version + " of it"
	}
	if why != "" {
		v.unknown(why)
	}
}

// unknown notes what cannot be said of the package.
func (v *vetting) unknown(why string) {
	v.rep.Unknowns = append(v.rep.Unknowns, finding.Unknown{Path: v.asked.Name, Kind: string(sbom.Opaque), Reason: why, Origin: string(sbom.OriginApp), PURL: v.rep.Vetted.Component, Code: true})
}

// named is the package itself, as nobody has it yet.
func (v *vetting) named() sbom.Component {
	c := declared(v.asked.Package, v.version)
	c.Evidence = []sbom.Evidence{{Method: sbom.MethodNamed, Confidence: 1, Detail: v.asked.Name}}
	if of := v.known.Find(v.version); of != nil {
		c.Licenses, c.Hashes = of.Licenses, of.Integrity
		c.Requires = slices.Sorted(maps.Keys(of.Requires))
	}
	return c
}

// declared is a package that is not there.
func declared(p registry.Package, version string) sbom.Component {
	purl := sbom.PURL(string(p.System), p.Name, version)
	return sbom.Component{Ref: purl, PURL: purl, Name: p.Name, Version: version, Ecosystem: sbom.Ecosystem(string(p.System), ""), State: sbom.Declared, Origin: sbom.OriginApp}
}
