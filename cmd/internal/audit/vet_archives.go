package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/integrity"
	"github.com/fnaudit/fnaudit/sbom/registry"
)

// Bounds on the archives of one tree or lockfile. What is over them is left, and
// said of each package.
const (
	maxOpened      = 2_000            // archives; the largest real trees have about 1,500 packages
	maxOpenedBytes = 4 << 30          // of all of them, as published
	maxOpenedTime  = 10 * time.Minute // in all
	openedAhead    = 8                // archives that are fetched before they are looked into, one after the other
)

// opening looks into the published archives of packages that are not in yet.
type opening struct {
	a     *Auditor
	rep   *finding.Report
	bytes int64 // of the archives so far
	count int

	sums  map[string]map[string]string // package URL -> algorithm -> hexadecimal digest of its archive
	found []sbom.Component             // packages that lie inside archives
}

// archivesOf looks into the published archive of each declared package, and
// notes in it what the archive shows: what it runs at installation, its machine
// code. Each is held against its registry's digest before. One that cannot be
// had is an unknown, for somebody asked to look. Only a cancelled ctx is an error.
func (a *Auditor) archivesOf(ctx context.Context, rep *finding.Report, components []sbom.Component) (*opening, error) {
	o := &opening{a: a, rep: rep, sums: map[string]map[string]string{}}
	limited, cancel := context.WithTimeout(ctx, maxOpenedTime)
	defer cancel()
	var list []*sbom.Component
	told := map[string]bool{}
	for i := range components {
		if c := &components[i]; !c.Main && c.State == sbom.Declared && !told[c.PURL] {
			told[c.PURL] = true
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *sbom.Component) int { return cmp.Compare(a.PURL, b.PURL) })
	for chunk := range slices.Chunk(list, openedAhead) {
		got, why := o.fetch(limited, chunk)
		for i, c := range chunk {
			o.one(limited, c, got[i], why[i])
		}
		if ctx.Err() != nil {
			return o, ctx.Err()
		}
	}
	return o, nil
}

// fetch gets archives side by side; what cannot be had has a reason.
func (o *opening) fetch(ctx context.Context, list []*sbom.Component) (got []*registry.Archive, why []error) {
	got, why = make([]*registry.Archive, len(list)), make([]error, len(list))
	var g errgroup.Group
	for i, c := range list {
		if o.count++; o.count > maxOpened {
			why[i] = fmt.Errorf("over %d archives", maxOpened)
			continue
		}
		if o.bytes > maxOpenedBytes {
			why[i] = fmt.Errorf("over %d GiB of archives", maxOpenedBytes>>30)
			continue
		}
		g.Go(func() error {
			got[i], why[i] = o.published(ctx, c)
			return nil
		})
	}
	g.Wait()
	for _, a := range got {
		if a != nil {
			o.bytes += a.Size
		}
	}
	return got, why
}

// published is the archive that a package manager would take for a component.
func (o *opening) published(ctx context.Context, c *sbom.Component) (*registry.Archive, error) {
	p, version, ok := registry.ParsePURL(c.PURL)
	elsewhere := integrity.Elsewhere(c)
	switch {
	case o.a.Registry == nil:
		return nil, errors.New("no registry was asked")
	case elsewhere != "":
		return nil, errors.New(elsewhere)
	case !ok || version == "":
		return nil, errors.New("which version of which registry it is is not known")
	}
	return Published(ctx, o.a.Registry, p, version)
}

// one looks into an archive and closes it, or says why it cannot.
func (o *opening) one(ctx context.Context, c *sbom.Component, got *registry.Archive, err error) {
	if errors.Is(err, registry.ErrChanged) {
		o.rep.Findings = append(o.rep.Findings, changedArchive(c.PURL, "", err))
	}
	what := "was not looked into"
	if err == nil {
		defer got.Close()
		what = "cannot be judged"
		err = o.look(ctx, c, got)
	}
	if err == nil {
		o.sums[c.PURL] = map[string]string{"sha256": got.SHA256, "sha512": got.SHA512}
		o.rep.Vetted.Opened++
		return
	}
	o.rep.Vetted.Unopened++
	why := err.Error()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		why = fmt.Sprintf("it took longer than %s to look into all of them", maxOpenedTime)
	case errors.Is(err, registry.ErrOffline):
		why += " (fnaudit vet --online asks)"
	}
	o.rep.Unknowns = append(o.rep.Unknowns, finding.Unknown{Path: spoken(c), Kind: string(sbom.Opaque), Code: true, Origin: string(sbom.OriginApp), PURL: c.PURL,
		Reason: "its published archive " + what + ": " + why})
}

// spoken is how a component is named on the command line.
func spoken(c *sbom.Component) string {
	p, version, _ := registry.ParsePURL(c.PURL)
	return p.String() + "@" + version
}

// look notes in a component what its archive shows.
func (o *opening) look(ctx context.Context, c *sbom.Component, got *registry.Archive) error {
	p, _, _ := registry.ParsePURL(c.PURL)
	f, err := openPublished(ctx, spoken(c), p, got)
	if err != nil {
		return err
	}
	defer f.Close()
	bom, err := o.a.catalog(ctx, f)
	if err != nil {
		return err
	}
	if !callsItself(bom, p.System, c.PURL) {
		return errors.New("it does not say that it is " + c.PURL)
	}
	in := spoken(c) + "!/"
	for i := range bom.Components {
		m := &bom.Components[i]
		switch {
		case m.PURL == c.PURL:
			for _, t := range m.Traits {
				t.Artifact, t.Path = 0, in+t.Path
				c.Traits = append(c.Traits, t)
			}
			if len(c.Licenses) == 0 {
				c.Licenses = m.Licenses
			}
		case !m.Main && m.State == sbom.Live:
			o.found = append(o.found, inside(m, in))
		}
	}
	for _, u := range bom.Unknowns {
		o.rep.Unknowns = append(o.rep.Unknowns, finding.Unknown{Path: in + u.Path, Kind: string(u.Kind), Reason: u.Reason, Code: u.Code, Origin: string(sbom.OriginApp), PURL: c.PURL})
	}
	compared, err := integrity.Check(ctx, integrity.Of{Function: f, SBOM: bom}, nil) // what it says of its own files
	for _, d := range compared.Differences {
		d.Path = in + d.Path
		o.rep.Findings = append(o.rep.Findings, differenceFinding(d, c))
	}
	return err
}

// inside is a package that lies in another one's archive: it is there as soon as
// that is installed, and is nowhere now.
func inside(m *sbom.Component, in string) sbom.Component {
	c := sbom.Component{Ref: m.PURL, PURL: m.PURL, Name: m.Name, Version: m.Version, Versions: m.Versions, Ecosystem: m.Ecosystem, State: sbom.Declared, Origin: sbom.OriginApp, Licenses: m.Licenses}
	for _, t := range m.Traits {
		t.Artifact, t.Path = 0, in+t.Path
		c.Traits = append(c.Traits, t)
	}
	for _, e := range m.Evidence {
		e.Artifact, e.Path = 0, in+e.Path
		c.Evidence = append(c.Evidence, e)
	}
	return c
}

// openPublished opens a published archive as if it were installed.
func openPublished(ctx context.Context, ref string, p registry.Package, got *registry.Archive) (*bundle.Function, error) {
	folder := ""
	if p.System == registry.NPM {
		folder = "node_modules/" + p.Name
	}
	return bundle.OpenPublished(ctx, bundle.Published{
		Ref: ref, Bytes: got.Bytes, Size: got.Size, Digest: bundle.Digest("sha256:" + got.SHA256), Folder: folder,
	}, bundle.Limits{})
}

// callsItself says whether an archive says that it is the package that its
// registry says it is. Archives of some systems do not say what they are.
func callsItself(bom *sbom.SBOM, system registry.System, purl string) bool {
	return system != registry.NPM && system != registry.PyPI || slices.ContainsFunc(bom.Components, func(c sbom.Component) bool {
		return !c.Main && c.State == sbom.Live && c.PURL == purl
	})
}

// ruleArchiveChanged: the published archive is not what its registry says that it
// is. Whoever installs it gets other bytes than were published, or nothing.
const ruleArchiveChanged = "published-archive-changed"

// changedArchive is the finding for an archive that contradicts its registry,
// whose address is source where it is known.
func changedArchive(purl, source string, err error) finding.Finding {
	p, _, _ := registry.ParsePURL(purl)
	return finding.Finding{
		Kind: finding.KindUntrusted, Rule: ruleArchiveChanged, ID: ruleArchiveChanged + ":" + p.Name, Severity: finding.High, Certainty: finding.Certain,
		Component: purl, State: string(sbom.Declared), Origin: string(sbom.OriginApp), Title: "the published archive is not what its registry says",
		Evidence: []finding.Evidence{{Source: "registry", Locator: source, Detail: err.Error()}},
	}
}
