package report

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestDependencyRules reads the rules from the packages that have them: each
// must say to a person what it is about and what to do.
func TestDependencyRules(t *testing.T) {
	rule := regexp.MustCompile(`(?m)^\s*(?:const )?Rule\w+\s*(?:Rule)?\s*= "([a-z0-9-]+)"`)
	known := dependencyRules()
	for _, name := range finding.DriftRules() {
		if r := known[name]; r.title == "" || r.help == "" {
			t.Errorf("rule %s has no title or no help", name)
		}
	}
	for _, dir := range []string{"trust", "stale", "integrity"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", "sbom", dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("sbom/%s: no files: %v", dir, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range rule.FindAllStringSubmatch(string(text), -1) {
				if r := known[m[1]]; r.title == "" || r.help == "" {
					t.Errorf("%s: rule %s has no title or no help", filepath.Base(file), m[1])
				}
			}
		}
	}
}

// TestRulesOfTheProgram is the same for the rules that no library has: of
// licences and of exposure.
func TestRulesOfTheProgram(t *testing.T) {
	rule := regexp.MustCompile(`(?m)^\s*(?:rule|Rule)\w+\s*= "([a-z0-9-]+)"`)
	known := dependencyRules()
	for _, file := range []string{"../policy/licences.go", "../audit/exposure.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := rule.FindAllStringSubmatch(string(text), -1)
		if len(found) < 3 {
			t.Errorf("%s: %d rules", file, len(found))
		}
		for _, m := range found {
			if r := known[m[1]]; r.title == "" || r.help == "" {
				t.Errorf("%s: rule %s has no title or no help", filepath.Base(file), m[1])
			}
		}
	}
}
