package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/sbom/licence"
)

// Licences says under which licences packages may be used. The zero value
// says nothing, and nothing is judged then.
type Licences struct {
	Allow    []string // SPDX identifiers, or patterns such as "BSD-*"; nil: every known one that is not denied
	Deny     []string // likewise
	Unknown  Response // to a package whose licence nobody can say; "": incomplete with a list of what is allowed, else a warning
	Origins  []string // of the packages that are judged; nil: app and layer
	Packages []PackageLicence
}

// PackageLicence states the licence of a package, instead of what the package says.
type PackageLicence struct {
	Component string // purl, with or without a version
	Licence   string // SPDX expression
	Reason    string
}

type fileLicences struct {
	Allow    *[]string            `yaml:"allow"`
	Deny     *[]string            `yaml:"deny"`
	Unknown  *string              `yaml:"unknown"`
	Origins  *[]string            `yaml:"origins"`
	Packages []filePackageLicence `yaml:"packages"`
}

type filePackageLicence struct {
	Component string `yaml:"component"`
	Licence   string `yaml:"licence"`
	Reason    string `yaml:"reason"`
}

// licenceKeys are the keys of the section, for suggestions.
var licenceKeys = []string{"licences", "licence", "allow", "deny", "unknown", "origins", "packages"}

// The rules of kind licence.
const (
	RuleLicenceDenied     = "licence-denied"
	RuleLicenceNotAllowed = "licence-not-allowed"
	RuleLicenceUnknown    = "licence-unknown"
)

// Given says whether the policy says anything of licences.
func (l Licences) Given() bool {
	return l.Allow != nil || l.Deny != nil || l.Unknown != "" || len(l.Packages) > 0
}

// Lists are the lists of the section. They were read once already, so that
// there is no error any more.
func (l Licences) Lists() (licence.Lists, error) { return licence.NewLists(l.Allow, l.Deny) }

// Judged says whether packages of an origin are judged. A package of which
// nobody knows where it comes from may be the function's own.
func (l Licences) Judged(origin string) bool {
	if l.Origins == nil {
		return origin != "base" && origin != "runtime"
	}
	return slices.Contains(l.Origins, origin) || origin == "" && slices.Contains(l.Origins, "app")
}

// Stated is the licence that the policy states for a package, and false when it
// states none. A later entry stands over an earlier one.
func (l Licences) Stated(purl string) (PackageLicence, bool) {
	names := packageNames(purl)
	for _, p := range slices.Backward(l.Packages) {
		if slices.Contains(names, p.Component) {
			return p, true
		}
	}
	return PackageLicence{}, false
}

// unknown is the response to a package whose licence nobody can say. Where only
// some licences are allowed, one that nobody knows is not among them.
func (l Licences) unknown() Response {
	switch {
	case l.Unknown != "":
		return l.Unknown
	case l.Allow != nil:
		return RespondIncomplete
	}
	return RespondWarn
}

func (f *fileLicences) apply(to *Licences) error {
	if f == nil {
		return nil
	}
	const key = "licences"
	var errs []error
	if f.Allow != nil {
		to.Allow = slices.Clone(*f.Allow)
		if len(*f.Allow) == 0 {
			errs = append(errs, errors.New(key+".allow: the list is empty, so nothing would be allowed: name licences, or leave it out"))
		}
	}
	if f.Deny != nil {
		to.Deny = slices.Clone(*f.Deny)
	}
	if _, err := to.Lists(); err != nil {
		errs = append(errs, fmt.Errorf("%s.%w", key, err))
	}
	errs = append(errs, word(f.Unknown, &to.Unknown, key+".unknown", []string{"ignore", "warn", "fail", "incomplete"}))
	if f.Origins != nil {
		errs = append(errs, words(f.Origins, &to.Origins, key+".origins", origins))
	}
	to.Packages = slices.Clip(to.Packages)
	for i, p := range f.Packages {
		if err := p.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s.packages[%d].%w", key, i, err))
		}
		p.Component = component(p.Component)
		to.Packages = append(to.Packages, PackageLicence(p))
	}
	return errors.Join(errs...)
}

func (p filePackageLicence) check() error {
	switch {
	case !strings.HasPrefix(p.Component, "pkg:"):
		return fmt.Errorf("component: %q is not a package URL such as pkg:npm/lodash or pkg:npm/lodash@4.17.15", clip(p.Component))
	case strings.TrimSpace(p.Reason) == "":
		return errors.New("reason is missing: say how its licence is known")
	}
	if _, sure, _ := licence.Read(p.Licence); !sure {
		return fmt.Errorf("licence: %q is no expression of SPDX identifiers, as in \"MIT OR Apache-2.0\"", clip(p.Licence))
	}
	return nil
}
