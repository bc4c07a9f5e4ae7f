package jsbundle

import "testing"

func TestFewVersions(t *testing.T) {
	if got := FewVersions("unpipe"); len(got) != 1 || got[0] != "1.0.0" {
		t.Errorf("unpipe: %v", got)
	}
	if got := FewVersions("lodash"); got != nil {
		t.Errorf("lodash: %v", got)
	}
	for name, versions := range fewVersions() {
		if packageName(name+"/") != name || len(versions) > 5 {
			t.Errorf("%s: %v", name, versions)
		}
		for _, v := range versions {
			if exact(v) == "" {
				t.Errorf("%s: %q is no version", name, v)
			}
		}
	}
}
