package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/descriptor"
)

// descriptorFlags say how to read targets that declare functions.
type descriptorFlags struct {
	functions  []string
	parameters []string
	root       string
}

func descriptorFlagsOf(cmd *cobra.Command, d *descriptorFlags) {
	f := cmd.Flags()
	f.StringArrayVar(&d.functions, "function", nil, "of a template, only the function of this `NAME` (logical id or FunctionName), repeatable")
	f.StringArrayVar(&d.parameters, "parameter", nil, "`NAME=VALUE` of a template's parameter, repeatable (default the template's own)")
	f.StringVar(&d.root, "root", "", "`DIR` that a template's paths may not leave (default its folder; the project of .aws-sam/build)")
}

// expand turns one argument into what to open: a descriptor into the functions
// that it declares, anything else into itself.
func (d descriptorFlags) expand(arg string) ([]bundle.Spec, error) {
	found, is := descriptor.Descriptor{}, false
	if path, ok := strings.CutPrefix(arg, "sam:"); ok {
		var err error
		if found, err = descriptor.Named("sam", path); err != nil {
			var pe *fs.PathError
			if errors.As(err, &pe) {
				return nil, usage("", "open %s: no such file or folder", path)
			}
			return nil, usage("name the template itself: sam:template.yaml", "%w", err)
		}
		is = true
	} else if kind, path := split(arg); kind == "" && path != "-" {
		found, is = descriptor.Find(path)
	}
	if !is {
		return []bundle.Spec{{Ref: arg}}, nil
	}
	opt := descriptor.Options{Root: d.root, Parameters: map[string]string{}}
	for _, p := range d.parameters {
		name, value, err := descriptor.Parameter(p)
		if err != nil {
			return nil, usage("--parameter Stage=prod", "--parameter: %w", err)
		}
		opt.Parameters[name] = value
	}
	// A descriptor is small and is read within limits, so that there is nothing to cancel.
	specs, err := found.Functions(context.Background(), opt)
	switch {
	case errors.Is(err, descriptor.ErrNoFunctions):
		return nil, usage("name the function's package itself; with dir: a folder is taken as one unpacked function", "%w", err)
	case errors.Is(err, descriptor.ErrOptions):
		return nil, usage("", "%w", err)
	case err != nil: // whoever cannot read it cannot say what it declares: incomplete, and not a mistake of the caller
		return []bundle.Spec{{Ref: found.File, Unread: err.Error(), Declared: bundle.Declared{Descriptor: found.File}}}, nil
	}
	return specs, nil
}

// chosen keeps the functions that --function names. A descriptor that could not
// be read stays: it may declare them.
func (d descriptorFlags) chosen(specs []bundle.Spec) ([]bundle.Spec, error) {
	if len(d.functions)+len(d.parameters) == 0 && d.root == "" {
		return specs, nil
	}
	if !slices.ContainsFunc(specs, func(s bundle.Spec) bool { return s.Declared.Descriptor != "" }) {
		return nil, usage("fnaudit scan template.yaml --function NAME", "--function, --parameter and --root are about templates, and no target is one")
	}
	if len(d.functions) == 0 {
		return specs, nil
	}
	var out []bundle.Spec
	met := map[string]bool{}
	for _, s := range specs {
		if s.Declared.Descriptor == "" || s.Declared.Resource == "" {
			out = append(out, s)
			continue
		}
		for _, name := range d.functions {
			if name != "" && (name == s.Declared.Resource || name == s.Declared.FunctionName) {
				if met[name] = true; len(out) == 0 || out[len(out)-1].Declared.Resource != s.Declared.Resource || out[len(out)-1].Declared.Descriptor != s.Declared.Descriptor {
					out = append(out, s)
				}
			}
		}
	}
	for _, name := range d.functions {
		if !met[name] && !slices.ContainsFunc(out, func(s bundle.Spec) bool { return s.Declared.Descriptor != "" && s.Declared.Resource == "" }) {
			return nil, usage("it declares "+declaredNames(specs), "--function %s: no template declares it", name)
		}
	}
	return out, nil
}

// declaredNames lists declared functions for a message.
func declaredNames(specs []bundle.Spec) string {
	const most = 20
	var names []string
	for _, s := range specs {
		if s.Declared.Resource != "" {
			names = append(names, s.Declared.Resource)
		}
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// oneFunction refuses a descriptor with several functions where a command makes
// one document of one function.
func oneFunction(specs []bundle.Spec) error {
	n := map[string]int{}
	for _, s := range specs {
		if d := s.Declared.Descriptor; d != "" {
			if n[d]++; n[d] > 1 {
				return usage("name one of them: --function "+specs[0].Name, "%s declares several functions: %s", d, declaredNames(specs))
			}
		}
	}
	return nil
}

// toOpen lists the paths of a target that must exist. Those that a descriptor
// names were looked at when it was read, and what is missing is said there.
func toOpen(s bundle.Spec, named []string) []string {
	if s.Declared.Descriptor == "" {
		return append([]string{s.Ref}, s.Layers...)
	}
	return named
}

// withoutLayers drops the gaps that layers named by hand close.
func withoutLayers(gaps []bundle.Gap) []bundle.Gap {
	return slices.DeleteFunc(slices.Clone(gaps), func(g bundle.Gap) bool { return g.Layer })
}
