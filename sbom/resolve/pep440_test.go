package resolve

import (
	"slices"
	"strings"
	"testing"
)

// TestPySpec holds which of some versions satisfy a specifier, as the
// specification and its reference implementation have it.
func TestPySpec(t *testing.T) {
	versions := strings.Fields("1.0.dev1 1.0a1 1.0 1.0+cpu 1.0.post1 1.4.2 1.4.9 1.5 2.0rc1 2.0 2.0.post1+x 1!0.1")
	for spec, want := range map[string]string{
		"":              "1.0.dev1 1.0a1 1.0 1.0+cpu 1.0.post1 1.4.2 1.4.9 1.5 2.0rc1 2.0 2.0.post1+x 1!0.1",
		"==1.0":         "1.0 1.0+cpu",
		"==1":           "1.0 1.0+cpu",
		"==v1.0.0":      "1.0 1.0+cpu",
		"==1.0+cpu":     "1.0+cpu",
		"== 1.4.*":      "1.4.2 1.4.9",
		"!=1.4.*,<2":    "1.0.dev1 1.0a1 1.0 1.0+cpu 1.0.post1 1.5",
		"<1.0":          "",
		"<1.0a2":        "1.0.dev1 1.0a1",
		"<=1.0":         "1.0.dev1 1.0a1 1.0 1.0+cpu",
		">1.0,<2,":      "1.4.2 1.4.9 1.5",
		">1.0.post0,<2": "1.0.post1 1.4.2 1.4.9 1.5",
		">=2":           "2.0 2.0.post1+x 1!0.1",
		">2":            "1!0.1",
		"~=1.4":         "1.4.2 1.4.9 1.5",
		"~=1.4.3":       "1.4.9",
		"===1.0+CPU":    "1.0+cpu",
		">=1!0":         "1!0.1",
		">=1.5.*,<3":    "1.5 2.0rc1 2.0 2.0.post1+x",
	} {
		s, err := parsePySpec(spec)
		if err != nil {
			t.Errorf("%q: %v", spec, err)
			continue
		}
		var got []string
		for _, text := range versions {
			v, ok := parsePyVersion(text)
			if !ok {
				t.Fatalf("%q is a version", text)
			}
			if s.has(text, v) {
				got = append(got, text)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %s, want %s", spec, strings.Join(got, " "), want)
		}
	}
	for _, bad := range []string{"1.0", "^1", ">=", "==x", "~=1", "<1.dev0.*", ">=1||<2", "===", strings.Repeat(">=1,", 200)} {
		if _, err := parsePySpec(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestPyVersion(t *testing.T) {
	order := strings.Fields("0.9 1.0.dev1 1.0a1.dev1 1.0a1 1.0a2 1.0b1 1.0rc1.dev2 1.0rc1 1.0rc1.post1 1.0 1.0+a 1.0+a.1 1.0+1 1.0.post1.dev1 1.0.post1 1.0.1 1.10 2024.1.2 1!0.1")
	var parsed []pyVersion
	for _, s := range order {
		v, ok := parsePyVersion(s)
		if !ok {
			t.Fatalf("%q is a version", s)
		}
		parsed = append(parsed, v)
	}
	if !slices.IsSortedFunc(parsed, pyVersion.compare) {
		t.Error("the order is wrong")
	}
	for a, b := range map[string]string{"1.0": "v1", "1.0-1": "1.0.post1", "1.0ALPHA": "1.0a0", "1.0_pre2": "1c2", "1.0.rev3": "1.0-r3", "1.0+A_b": "1.0+a.b", " 1.0 ": "1.0.0"} {
		v, ok := parsePyVersion(a)
		w, ok2 := parsePyVersion(b)
		if !ok || !ok2 || v.compare(w) != 0 {
			t.Errorf("%s and %s are not one: %v %v", a, b, v, w)
		}
	}
	for _, bad := range []string{"", "x", "2004d", "1..0", "1.0+", "1.0+a!b", "1.0 2", "1!", "1.", strings.Repeat("9", 40), "1." + strings.Repeat("0.", 300)} {
		if v, ok := parsePyVersion(bad); ok {
			t.Errorf("%q is %v", bad, v)
		}
	}
}

func TestPyMarker(t *testing.T) {
	for marker, want := range map[string]string{ // for no extra, and for "x-y"
		"python_version >= '3.8'":                                   "true true",
		"python_version < '3.8' or extra == 'X_y'":                  "false true",
		"'3.12.1' <= python_full_version":                           "true true",
		"python_full_version < '3.12.3'":                            "false false",
		"python_version == '3.12.*' and os_name == \"posix\"":       "true true",
		"python_version in '2.7, 3.12'":                             "true true",
		"(sys_platform=='win32' or (extra != 'x.y'))":               "true false",
		"platform_machine not in 'arm64 aarch64'":                   "true true",
		"platform_release >= '5' and platform_version=='x'":         "true true", // not known: needed
		"os.name == 'nt' or sys.platform == 'linux'":                "true true",
		"python_implementation=='PyPy'":                             "false false",
		"extra == 'a' and extra == 'b' or implementation_name=='x'": "false false",
	} {
		m, err := parsePyMarker(marker)
		if err != nil {
			t.Errorf("%s: %v", marker, err)
			continue
		}
		got := strings.Trim(strings.Join([]string{b(m(pyEnv{12}, "")), b(m(pyEnv{12}, "x-y"))}, " "), " ")
		if got != want {
			t.Errorf("%s: %s, want %s", marker, got, want)
		}
	}
	for _, bad := range []string{"", "x == '1'", "os_name", "os_name ==", "os_name == 'nt' and", "(os_name == 'nt'", "os_name == 'nt' 1", "extra > 'x'", "extra == extra", "os_name ~= 'x'", "os_name not 'x'", "os_name == 'x", strings.Repeat("(", 100) + "os_name=='x'"} {
		if _, err := parsePyMarker(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func b(v bool) string {
	if v {
		return "true"
	}
	return "false"
}

func TestPyInstalls(t *testing.T) {
	for file, want := range map[string]bool{
		"a-1.tar.gz": true, "a-1.zip": true, "a-1.egg": false, "a-1.exe": false,
		"a-1-py3-none-any.whl": true, "a-1-py2.py3-none-any.whl": true, "a-1-py2-none-any.whl": false, "a-1-1build-py3-none-any.whl": true,
		"a-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl": true, "a-1-cp312-cp312-musllinux_1_1_x86_64.whl": false,
		"a-1-cp312-cp312-win_amd64.whl": false, "a-1-cp313-cp313-manylinux_2_17_x86_64.whl": false, "a-1-cp311-cp311-manylinux_2_17_x86_64.whl": false,
		"a-1-cp38-abi3-manylinux_2_17_x86_64.whl": true, "a-1-cp313-abi3-linux_x86_64.whl": false, "a-1-cp312-cp312t-linux_x86_64.whl": false,
		"a-1-py37-none-any.whl": true, "a-1-py313-none-any.whl": false, "a-1-cp312-none-any.whl": true, "a-1-pp310-pypy310_pp73-manylinux_2_17_x86_64.whl": false, "a.whl": false,
	} {
		if got := (pyEnv{12}).installs(file); got != want {
			t.Errorf("%s: %t", file, got)
		}
	}
}
