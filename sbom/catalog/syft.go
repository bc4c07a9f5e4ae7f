package catalog

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
)

// syft runs one of syft's catalogers over a view and records its errors. The
// packages come back as syft found them, without its compliance step: a
// package may lack a version.
func (a *artifact) syft(ctx context.Context, c pkg.Cataloger, v *view) []pkg.Package {
	packages, err := a.within(ctx, c, v)
	for _, f := range v.failed {
		a.unread(f.path, f.err)
	}
	a.syftErrors(c.Name(), err)
	return packages
}

// within runs a cataloger that may take as long as Options.MaxTime. One that
// takes longer is cut off from the artifact and left behind; its packages are
// lost, and the error says so.
func (a *artifact) within(ctx context.Context, c pkg.Cataloger, v *view) ([]pkg.Package, error) {
	if len(v.files) == 0 {
		return nil, nil
	}
	type outcome struct {
		packages []pkg.Package
		err      error
	}
	done := make(chan outcome, 1)
	go func() {
		packages, err := caught(ctx, c, v)
		done <- outcome{packages, err}
	}()
	limit := time.NewTimer(a.opts.MaxTime)
	defer limit.Stop()
	select {
	case o := <-done:
		return o.packages, o.err
	case <-limit.C:
		v.stop()
		return nil, &limitError{"seconds", int64(a.opts.MaxTime / time.Second)}
	case <-ctx.Done():
		v.stop()
		return nil, nil // whoever called sees it too
	}
}

// caught runs a cataloger on this goroutine. The parsers were not written for
// hostile files: a panic loses this cataloger's results and is an error.
func caught(ctx context.Context, c pkg.Cataloger, v *view) (packages []pkg.Package, err error) {
	defer func() {
		if p := recover(); p != nil {
			packages, err = nil, fmt.Errorf("stopped: %v", p)
		}
	}()
	packages, _, err = c.Catalog(ctx, v)
	return packages, err
}

// syftErrors turns what a cataloger returned into unknowns. The errors that
// carry a path have a type in one of syft's internal packages; its fields are
// exported, so they are read by reflection, and an error without such fields
// is recorded for the whole artifact.
func (a *artifact) syftErrors(name string, err error) {
	switch e := err.(type) {
	case nil:
		return
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			a.syftErrors(name, inner)
		}
		return
	case interface{ WrappedErrors() []error }:
		for _, inner := range e.WrappedErrors() {
			a.syftErrors(name, inner)
		}
		return
	}
	if p, reason, ok := coordinates(err); ok {
		if reason == nil {
			reason = err
		}
		a.unread(p, reason)
		return
	}
	if e, ok := err.(interface{ Unwrap() error }); ok && e.Unwrap() != nil {
		if _, _, located := coordinates(e.Unwrap()); located {
			a.syftErrors(name, e.Unwrap())
			return
		}
	}
	a.unread("", fmt.Errorf("%s: %w", name, err))
}

func coordinates(err error) (p string, reason error, ok bool) {
	v := reflect.ValueOf(err)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return "", nil, false
	}
	field := v.Elem().FieldByName("Coordinates")
	if !field.IsValid() || !field.CanInterface() {
		return "", nil, false
	}
	c, isCoordinates := field.Interface().(file.Coordinates)
	if !isCoordinates {
		return "", nil, false
	}
	if r := v.Elem().FieldByName("Reason"); r.IsValid() && r.CanInterface() {
		reason, _ = r.Interface().(error)
	}
	return clean(c.RealPath), reason, true
}

// syftLicences returns the licences that syft read out of the metadata. Those
// that are the digest of a licence text name no licence.
func (a *artifact) syftLicences(p *pkg.Package) []string {
	var out []string
	for _, l := range p.Licenses.ToSlice() {
		switch {
		case l.SPDXExpression != "":
			out = append(out, l.SPDXExpression)
		case l.Value != "" && !strings.HasPrefix(l.Value, "sha256:"):
			out = append(out, l.Value)
		}
	}
	return a.spdx(out...)
}

// primary returns the path of the file that shows a package.
func primary(p *pkg.Package) string {
	at := ""
	for _, l := range p.Locations.ToSlice() {
		if l.Annotations[pkg.EvidenceAnnotationKey] == pkg.PrimaryEvidenceAnnotation {
			return clean(l.RealPath)
		}
		if at == "" {
			at = clean(l.RealPath)
		}
	}
	return at
}
