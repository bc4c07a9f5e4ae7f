package policy

import (
	"os/exec"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// TestShellWord: the name of a file in a command that is to be copied is one word,
// whatever a shell would do with it.
func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{
		"build/orders.zip": "build/orders.zip", "npm:@acme/x@1.2": "npm:@acme/x@1.2", "": "''", "my fn.zip": "'my fn.zip'",
		"a;id.zip": "'a;id.zip'", "$(id).zip": "'$(id).zip'", "it's.zip": `'it'\''s.zip'`, "`id`": "'`id`'", "~/a": "'~/a'", "é.zip": "'é.zip'",
	} {
		if got := shellWord(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
		if sh, err := exec.LookPath("sh"); err == nil {
			if out, err := exec.Command(sh, "-c", "printf %s "+shellWord(s)).Output(); err != nil || string(out) != s {
				t.Errorf("%q: a shell takes it for %q, %v", s, out, err)
			}
		}
	}
	r := &finding.Report{Target: "$(id).zip", Declared: &finding.Declared{Descriptor: "a b.yaml", Resource: "Fn"}}
	if got, want := again(r), "--function Fn 'a b.yaml'"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if r.Declared = nil; again(r) != "'$(id).zip'" {
		t.Errorf("%s is to be copied", again(r))
	}
}
