package trust

import (
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// RuleNative: machine code in a package that declares none. Low in an npm
// package: some bring helpers for the desktop unsaid. Medium for a library in a
// Python wheel that says it is for all platforms: that is not what was built,
// or it was added. A note for a program in such a wheel, as installers bring
// launchers for Windows.
const RuleNative Rule = "native-binary"

func native(c *sbom.Component) []Signal {
	j := &originJudge{c: c}
	for _, t := range c.Traits {
		if t.Kind != sbom.TraitNative {
			continue
		}
		w, said := Low, "that its manifest says nothing of"
		if typeOf(c.PURL) == "pypi" {
			said = "although its wheel says that it is for all platforms"
			if w = Medium; strings.HasPrefix(t.Detail, "program") && !strings.HasSuffix(t.Detail, "Linux") {
				w = Note
			}
		}
		j.say(RuleNative, w, "holds machine code "+said+": "+t.Path+" ("+t.Detail+")", t)
	}
	return j.out
}
