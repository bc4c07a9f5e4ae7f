package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// What is to be minded with every command of a manager is said once, and what is
// about one step with that step.
func TestUpgradeNotes(t *testing.T) {
	r := failing()
	r.Upgrades = nil
	for i, note := range []string{"1.2 clears 1 of 2; into an empty folder", "into an empty folder", "b needs it; into an empty folder"} {
		name := string(rune('a' + i))
		r.Upgrades = append(r.Upgrades, finding.Upgrade{Component: "pkg:pypi/" + name + "@1.0", Name: name, From: "1.0", To: "2.0", Clears: []string{"f"}, Manager: "pip", Command: "pip install '" + name + "==2.0'", Priority: 50 - i, Note: note})
	}
	r.Upgrades = append(r.Upgrades, finding.Upgrade{Component: "pkg:npm/d@1.0", Name: "d", From: "1.0", To: "2.0", Clears: []string{"f"}, Manager: "npm", Command: "npm install d@2.0", Priority: 20, Note: "into an empty folder"})
	var b bytes.Buffer
	if err := report.Write(&b, "table", wrapDocument(r), report.Options{}); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	want := "pip install 'a==2.0' # clears 1 1.2 clears 1 of 2; into an empty folder 49 pip install 'b==2.0' # clears 1 48 pip install 'c==2.0' # clears 1 b needs it 20 npm install d@2.0 # clears 1 into an empty folder"
	if !strings.Contains(text, want) {
		t.Errorf("got %s\nwant %s", b.String(), want)
	}
}
