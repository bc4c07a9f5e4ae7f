package integrity

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestWheel: a RECORD that was rewritten along with a file.
func TestWheel(t *testing.T) {
	const tags = "Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n"
	files := tree{"demo/__init__.py": "1\n", "demo/a.py": "2\n", "demo-1.0.dist-info/WHEEL": tags, "demo-1.0.data/purelib/spread.py": "3\n"}
	base := recorded(files, "", "demo", "1.0", "demo/", "demo-1.0.data/")
	wheel, err := os.ReadFile(base.save(t, "demo.whl"))
	if err != nil {
		t.Fatal(err)
	}
	reg := shelf{"pypi:demo@1.0 demo-1.0-py2.py3-none-any.whl": wheel}
	const purl, rewritten = "pkg:pypi/demo@1.0", ": its RECORD is not that of the published wheel\n"
	installed := func(f tree) tree { return recorded(f, "", "demo", "1.0", "demo/", "spread.py") }
	plain := files.without("demo-1.0.data/purelib/spread.py").with("spread.py", "3\n")
	for name, tt := range map[string]struct {
		code tree
		want string
	}{
		"as published":  {installed(plain), ""},
		"rewritten":     {installed(plain.with("demo/a.py", "evil\n")), "high integrity-changed " + purl + " demo/a.py\nleft " + purl + rewritten},
		"added":         {installed(plain.with("demo/evil.py", "evil\n")), "high integrity-unlisted " + purl + " demo/evil.py\nleft " + purl + rewritten},
		"another build": {installed(plain.with("demo-1.0.dist-info/WHEEL", strings.Replace(tags, "demo", "other", 1)).with("demo/a.py", "patched\n")), "left " + purl + ": it is another build than the wheel that the registry published\n"},
	} {
		res, got := run(t, open(t, tt.code), reg, pypi("demo", "1.0", "demo-1.0.dist-info"))
		if got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
		if res.Claimed != 0 {
			t.Errorf("%s: a published wheel was at hand, and nothing counts as held against it", name)
		}
	}
	if res, got := run(t, open(t, installed(plain.with("demo/a.py", "evil\n"))), shelf{}, pypi("demo", "1.0", "demo-1.0.dist-info")); got != "" || res.Claimed != 1 {
		t.Errorf("without the wheel: %d, %s", res.Claimed, got)
	}
}

func TestWheelNames(t *testing.T) {
	for text, want := range map[string][]string{
		"Tag: py3-none-any\n": {"demo-1.0-py3-none-any.whl"},
		"Tag: cp312-cp312-manylinux_2_17_x86_64\nTag: cp312-cp312-manylinux2014_x86_64\n": {"demo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "demo-1.0-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"},
		"Tag: ../x-none-any\n": nil,
		"Tag: none\n":          nil,
		"":                     nil,
	} {
		f := open(t, tree{"demo-1.0.dist-info/WHEEL": text, "a.py": ""})
		py := &python{check: newCheck(Of{Function: f})}
		if got := py.wheelNames(&distribution{info: "demo-1.0.dist-info"}); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}
