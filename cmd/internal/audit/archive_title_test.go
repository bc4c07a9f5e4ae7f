package audit

import (
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
)

// TestTitleOf holds that no title speaks of a zip's directory where there is
// none, nor shows a placeholder.
func TestTitleOf(t *testing.T) {
	for kind, o := range oddities {
		for _, a := range []bundle.Kind{bundle.KindZip, bundle.KindJar, bundle.KindDirectory, bundle.KindImage, bundle.KindLayout, bundle.KindBinary} {
			title := titleOf(kind, o, a)
			if title == "" || strings.Contains(title, "%") {
				t.Errorf("%s of a %s: %q", kind, a, title)
			}
			if image := a == bundle.KindImage || a == bundle.KindLayout; image && (strings.Contains(title, "directory") || strings.Contains(title, "the archive ")) && kind != bundle.NoticeDuplicate {
				t.Errorf("%s of an image: %q speaks of a zip", kind, title)
			}
		}
	}
	if got := titleOf(bundle.NoticeHeader, oddities[bundle.NoticeHeader], bundle.KindZip); got != "local header and central directory disagree" {
		t.Errorf("of a zip: %q", got)
	}
}
