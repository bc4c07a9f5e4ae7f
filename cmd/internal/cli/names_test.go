package cli

import (
	"slices"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
)

func TestDistinct(t *testing.T) {
	declared := func(file, id string) bundle.Spec {
		return bundle.Spec{Name: id, Ref: "x.zip", Declared: bundle.Declared{Descriptor: file, Resource: id}}
	}
	file := func(ref string) bundle.Spec { return bundle.Spec{Name: nameOf(ref), Ref: ref} }
	for _, tt := range []struct {
		name  string
		specs []bundle.Spec
		fixed []bool
		want  []string
	}{
		{"all differ", []bundle.Spec{file("a.zip"), file("b.zip")}, nil, []string{"a", "b"}},
		{"extension", []bundle.Spec{file("app.tar"), file("app.tar.gz"), file("b.zip")}, nil, []string{"app.tar", "app.tar.gz", "b"}},
		{"folder", []bundle.Spec{file("x/app.zip"), file("y/app.zip")}, nil, []string{"x/app.zip", "y/app.zip"}},
		{"one is the other's end", []bundle.Spec{file("app.zip"), file("y/app.zip")}, nil, []string{"app.zip", "y/app.zip"}},
		{"forced kinds", []bundle.Spec{file("zip:x/app.zip"), file("y/app.zip")}, nil, []string{"x/app.zip", "y/app.zip"}},
		{"the same twice", []bundle.Spec{file("app.zip"), file("app.zip"), {Name: "app.zip#2", Ref: "z.zip"}}, []bool{false, false, true}, []string{"app.zip", "app.zip#3", "app.zip#2"}},
		{"images of one archive", []bundle.Spec{file("app.tar#r/a:1"), file("other.tar#a:1")}, nil, []string{"app.tar#r/a:1", "other.tar#a:1"}},
		{"registries", []bundle.Spec{file("image:host/a/app:1"), file("image:host/b/app:1")}, nil, []string{"host/a/app:1", "host/b/app:1"}},
		{"templates", []bundle.Spec{declared("a/t.yaml", "Fn"), declared("b/t.yaml", "Fn"), declared("b/t.yaml", "Other")}, nil, []string{"a/t.yaml#Fn", "b/t.yaml#Fn", "Other"}},
		{"a chosen name", []bundle.Spec{file("app.zip"), {Name: "app", Ref: "z.zip"}}, []bool{false, true}, []string{"app.zip", "app"}},
	} {
		if tt.fixed == nil {
			tt.fixed = make([]bool, len(tt.specs))
		}
		distinct(tt.specs, tt.fixed)
		var got []string
		for _, s := range tt.specs {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
