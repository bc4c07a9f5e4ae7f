package vulndb

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMavenNames(t *testing.T) {
	two := strings.Replace(recordJSON("C", "Maven", "com.example:core", "0", "2"), `"affected":[`,
		`"affected":[{"package":{"ecosystem":"Maven","name":"io.example:other"}},{"package":{"ecosystem":"npm","name":"x:core"}},`, 1)
	dir := t.TempDir()
	s := build(t, dir,
		Input{Ecosystem: "Maven", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"),
			file{"A.json", recordJSON("A", "Maven", "org.example:core", "0", "2")},
			file{"B.json", recordJSON("B", "Maven", "org.example:core", "0", "3")},
			file{"C.json", two},
			file{"D.json", recordJSON("D", "Maven", "no-group", "0", "3")},
			file{"E.json", recordJSON("E", "Maven", "no-artifact:", "0", "3")})},
		Input{Ecosystem: "npm", Archive: writeZip(t, filepath.Join(t.TempDir(), "all.zip"), file{"N.json", recordJSON("N", "npm", "a:core", "0", "2")})})
	if src, _ := s.Source("Maven"); src.Packages != 5 || src.Records != 5 {
		t.Errorf("%d records in %d packages; an artifact id alone is no package", src.Records, src.Packages)
	}
	db := open(t, dir)
	for artifact, want := range map[string][]string{
		"core":             {"com.example:core", "org.example:core"},
		"other":            {"io.example:other"},
		"no-group":         nil,
		"":                 nil,
		"org.example:core": nil,
		"none":             nil,
	} {
		if got, err := db.MavenNames(context.Background(), artifact); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", artifact, got, err, want)
		}
	}
	if list, err := db.LookupName(context.Background(), "Maven", "core"); err != nil || len(list) > 0 {
		t.Errorf("an artifact id is a package's name: %v, %v", list, err)
	}
	if damages, err := Check(context.Background(), dir); err != nil || len(damages) > 0 {
		t.Error(damages, err)
	}
	starter, err := Starter()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := starter.MavenNames(context.Background(), "log4j-core"); err != nil || !slices.Equal(got, []string{"org.apache.logging.log4j:log4j-core"}) {
		t.Error(got, err)
	}
}
