package integrity

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/sbom"
)

// shared is an ELF file with a section header for each name.
func shared(names ...string) string {
	var table, b bytes.Buffer
	table.WriteByte(0)
	at := []int{}
	for _, n := range append(names, ".shstrtab") {
		at = append(at, table.Len())
		table.WriteString(n + "\x00")
	}
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64, Shentsize: 64, Shnum: uint16(len(at) + 1), Shstrndx: uint16(len(at)), Shoff: uint64(64 + table.Len())}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	binary.Write(&b, binary.LittleEndian, h)
	b.Write(table.Bytes())
	binary.Write(&b, binary.LittleEndian, elf.Section64{})
	for i, name := range at {
		s := elf.Section64{Name: uint32(name), Type: uint32(elf.SHT_PROGBITS), Off: 64}
		if i == len(at)-1 {
			s.Type, s.Size = uint32(elf.SHT_STRTAB), uint64(table.Len())
		}
		binary.Write(&b, binary.LittleEndian, s)
	}
	return b.String()
}

// TestRecord plants what may happen to an installed distribution.
func TestRecord(t *testing.T) {
	const wrapper = "#!/build/venv/bin/python\n# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom demo.cli import main\nif __name__ == '__main__':\n    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n    sys.exit(main())\n"
	base := recorded(tree{
		"app.py": "import demo\n", "demo/__init__.py": "from . import a\n", "demo/a.py": "a = 1\nb = 2\n", "demo/data.json": "{}\n", "demo/README.md": "words\n",
		"demo/_x.cpython-312-x86_64-linux-gnu.so": shared(".text", ".debug_info"), "demo/tests/test_a.py": "pass\n", "demo/sub/__init__.py": "", "demo/sub/b.py": "b = 3\n",
		"bin/demo": wrapper, "single.py": "one = 1\n",
	}, "", "demo", "1.0", "demo/", "bin/", "single.py")
	record := base["demo-1.0.dist-info/RECORD"]
	const purl, so = "pkg:pypi/demo@1.0", "demo/_x.cpython-312-x86_64-linux-gnu.so"
	differs := "left " + purl + ": files of it differ from its RECORD\n"
	for name, tt := range map[string]struct {
		code tree
		want string
	}{
		"untouched":           {base, ""},
		"changed code":        {base.with("demo/a.py", "import os\n"), "high integrity-changed " + purl + " demo/a.py\n" + differs},
		"changed module":      {base.with("single.py", "import os\n"), "high integrity-changed " + purl + " single.py\n" + differs},
		"changed library":     {base.with(so, shared(".text", ".debug_info", ".evil")), "high integrity-changed " + purl + " " + so + "\n" + differs},
		"stripped library":    {base.with(so, shared(".text")), "low integrity-stripped " + purl + " " + so + "\n" + differs},
		"changed data":        {base.with("demo/data.json", "[]\n"), "medium integrity-changed " + purl + " demo/data.json\n" + differs},
		"changed prose":       {base.with("demo/README.md", "other\n"), "low integrity-changed " + purl + " demo/README.md\n"},
		"changed line ends":   {base.with("demo/a.py", "a = 1\r\nb = 2\r\n"), "low integrity-changed " + purl + " demo/a.py\n"},
		"changed metadata":    {base.with("demo-1.0.dist-info/METADATA", "Name: demo\nVersion: 1.0\n"), "medium integrity-changed " + purl + " demo-1.0.dist-info/METADATA\n" + differs},
		"other installer":     {base.with("demo-1.0.dist-info/INSTALLER", "uv\n").with("demo-1.0.dist-info/REQUESTED", "").with("demo-1.0.dist-info/direct_url.json", "{}"), ""},
		"moved script":        {base.with("bin/demo", strings.Replace(wrapper, "/build/venv", "/usr", 1)), "low integrity-changed " + purl + " bin/demo\n"},
		"changed script":      {base.with("bin/demo", wrapper+"import evil\n"), "high integrity-changed " + purl + " bin/demo\n" + differs},
		"script with more":    {base.with("bin/demo", strings.Replace(wrapper, "import sys\n", "import sys; import evil\n", 1)), "high integrity-changed " + purl + " bin/demo\n" + differs},
		"unlisted module":     {base.with("demo/sub/evil.py", "1\n"), "high integrity-unlisted " + purl + " demo/sub/evil.py\n"},
		"unlisted library":    {base.with("demo/a.cpython-312-x86_64-linux-gnu.so", "1"), "high integrity-unlisted " + purl + " demo/a.cpython-312-x86_64-linux-gnu.so\n"},
		"own module":          {base.with("other/a.py", "1\n").with("mine.py", "2\n"), ""},
		"unlisted data":       {base.with("demo/cache.bin", "1\n"), ""},
		"cache":               {base.with("demo/__pycache__/a.cpython-312.pyc", "x").with("demo/__pycache__/a.cpython-312.opt-2.pyc", "x"), ""},
		"cache unchecked":     {base.with("demo/__pycache__/a.cpython-312.pyc", "\xcb\r\r\n\x01\x00\x00\x00sip hashx"), "medium integrity-unlisted " + purl + " demo/__pycache__/a.cpython-312.pyc\nleft " + purl + ": its compiled modules run whatever their sources say\n"},
		"cache checked":       {base.with("demo/__pycache__/a.cpython-312.pyc", "\xcb\r\r\n\x03\x00\x00\x00sip hashx"), ""},
		"package for module":  {base.with("single/__init__.py", "1\n"), "high integrity-unlisted " + purl + " single/__init__.py\n"},
		"library for module":  {base.with("single.cpython-312-x86_64-linux-gnu.so", "1"), "high integrity-unlisted " + purl + " single.cpython-312-x86_64-linux-gnu.so\n"},
		"folder for module":   {base.with("single/data.py", "1\n").with("singles/__init__.py", "1\n"), ""},
		"cache of nothing":    {base.with("demo/__pycache__/gone.cpython-312.pyc", "x"), "low integrity-unlisted " + purl + " demo/__pycache__/gone.cpython-312.pyc\n"},
		"compiled beside":     {base.with("demo/evil.pyc", "x"), "high integrity-unlisted " + purl + " demo/evil.pyc\n"},
		"compiled, no source": {base.without("demo/a.py").with("demo/a.pyc", "x"), "left " + purl + ": it was compiled: RECORD has the digests of its sources\n"},
		"slim":                {base.without("demo/tests/test_a.py", "demo/README.md", "bin/demo"), ""},
		"gone":                {base.without("demo/a.py"), "low integrity-missing " + purl + " demo-1.0.dist-info/RECORD\n"},
		"all gone":            {tree{"demo-1.0.dist-info/METADATA": "", "demo-1.0.dist-info/RECORD": "demo-1.0.dist-info/RECORD,,\n"}, "left " + purl + ": none of the files that its RECORD has digests of is there\n"},
		"no record":           {base.without("demo-1.0.dist-info/RECORD"), "left " + purl + ": it has no RECORD\n"},
		"empty record":        {base.with("demo-1.0.dist-info/RECORD", ""), "left " + purl + ": its RECORD lists nothing\n"},
		"no digests":          {base.with("demo-1.0.dist-info/RECORD", "demo/__init__.py,,\ndemo/a.py,,\ndemo/sub/__init__.py,,\ndemo/sub/b.py,,\ndemo/tests/test_a.py,,\n"+so+",,\n"), "left " + purl + ": its RECORD has no digest of 6 of its modules\n"},
		"outside":             {base.with("demo-1.0.dist-info/RECORD", record+"../../../bin/demo,sha256=AAAA,1\n/etc/passwd,sha256=AAAA,1\n"), ""},
		"odd digest":          {base.with("demo-1.0.dist-info/RECORD", strings.Replace(record, "demo/a.py,sha256=", "demo/a.py,blake9=", 1)), "left " + purl + ": its RECORD has 1 digests of a kind that is not known\n"},
		"climbs":              {base.with("demo-1.0.dist-info/RECORD", record+"demo/../app.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"), "high integrity-changed " + purl + " app.py\n" + differs},
	} {
		t.Run(name, func(t *testing.T) {
			res, got := run(t, open(t, tt.code), nil, pypi("demo", "1.0", "demo-1.0.dist-info"))
			if got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
			if whole := !strings.Contains(tt.want, "left "); (res.Compared == 1) != whole {
				t.Errorf("compared %d packages, whole: %v", res.Compared, whole)
			}
		})
	}
}

// TestRecords: several distributions in one folder, and several layers.
func TestRecords(t *testing.T) {
	demo := recorded(tree{"python/demo/__init__.py": "1\n", "python/demo/a.py": "2\n"}, "python/", "demo", "1.0", "demo/")
	const purl = "pkg:pypi/demo@1.0"
	inLayer := pypi("demo", "1.0", "python/demo-1.0.dist-info")
	inLayer.Occurrences[0].Artifact = 1
	other := recorded(demo.with("python/demo/a.py", "3\n"), "python/", "other", "2.0", "demo/")
	inOther := pypi("other", "2.0", "python/other-2.0.dist-info")
	inOther.Occurrences[0].Artifact = 1
	for name, tt := range map[string]struct {
		layers []tree
		want   string
	}{
		"one":                       {[]tree{demo}, ""},
		"another layer adds":        {[]tree{demo, {"python/demo/evil.py": "x\n"}}, "high integrity-unlisted " + purl + " python/demo/evil.py\n"},
		"another layer changes":     {[]tree{demo, {"python/demo/a.py": "x\n"}}, "high integrity-changed " + purl + " python/demo/a.py\nleft " + purl + ": files of it differ from its RECORD\n"},
		"another layer is alike":    {[]tree{demo, {"python/demo/a.py": "2\n"}}, ""},
		"another layer completes":   {[]tree{demo.without("python/demo/a.py"), {"python/demo/a.py": "2\n"}}, ""},
		"a namespace":               {[]tree{recorded(tree{"python/ns/x/__init__.py": ""}, "python/", "demo", "1.0", "ns/"), {"python/ns/y/__init__.py": "", "python/ns/z.py": ""}}, ""},
		"eggs share a folder":       {[]tree{demo, {"python/egg.egg-info/PKG-INFO": "", "python/egg.egg-info/top_level.txt": "demo\n", "python/demo/egg.py": ""}}, "medium integrity-unlisted " + purl + " python/demo/egg.py\n"},
		"two list the same files":   {[]tree{other}, "medium integrity-changed " + purl + " python/demo/a.py\nleft " + purl + ": another distribution lists some of the same files and brought its own\n"},
		"a layer brings a list":     {[]tree{demo, recorded(tree{"python/demo/a.py": "3\n"}, "python/", "evil", "1.0", "demo/")}, "medium integrity-changed " + purl + " python/demo/a.py\nleft " + purl + ": another distribution lists some of the same files and brought its own\n"},
		"a layer has another one":   {[]tree{demo, recorded(tree{"python/demo/__init__.py": "1\n", "python/demo/a.py": "3\n"}, "python/", "demo", "1.1", "demo/")}, ""},
		"neither of two is what is": {[]tree{other.with("python/demo/a.py", "4\n")}, "high integrity-changed " + purl + " python/demo/a.py\nleft " + purl + ": files of it differ from its RECORD\n"},
	} {
		t.Run(name, func(t *testing.T) {
			components := []sbom.Component{inLayer}
			if strings.HasPrefix(name, "two list") || strings.HasPrefix(name, "neither") {
				components = append(components, inOther)
			}
			if _, got := run(t, open(t, tree{"app.py": "1\n"}, tt.layers...), nil, components...); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// TestManyDifferences: what is wrong in a whole package is named a few times and counted.
func TestManyDifferences(t *testing.T) {
	base := recorded(tree{"demo/__init__.py": "1\n"}, "", "demo", "1.0", "demo/")
	for i := range 100 {
		base["demo/evil"+strings.Repeat("x", i)+".py"] = "1\n"
	}
	res, _ := run(t, open(t, base), nil, pypi("demo", "1.0", "demo-1.0.dist-info"))
	if n := len(res.Differences); n != maxNamed+1 {
		t.Errorf("%d differences, want %d", n, maxNamed+1)
	}
}

func TestParseRecord(t *testing.T) {
	const hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for name, tt := range map[string]struct {
		text string
		path string
		alg  algorithms
		odd  bool
	}{
		"specification":   {"a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n", "a.py", algSHA256, false},
		"padded":          {"a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=,0\n", "a.py", algSHA256, false},
		"hexadecimal":     {"a.py,sha256=" + hex + ",0\r\n", "a.py", algSHA256, false},
		"quoted":          {"\"a, b.py\",sha256=" + hex + ",0\n", "a, b.py", algSHA256, false},
		"byte order mark": {"\ufeffa.py,,\n", "a.py", 0, false},
		"weak":            {"a.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,0\n", "a.py", algMD5, false},
		"short":           {"a.py,sha256=AAAA,0\n", "a.py", 0, true},
		"other":           {"a.py,blake3=AAAA,0\n", "a.py", 0, true},
		"nothing":         {"a.py\n", "a.py", 0, false},
		"many fields":     {"a.py,,,,,\n", "a.py", 0, false},
	} {
		lines, err := parseRecord([]byte(tt.text))
		if err != nil || len(lines) != 1 || lines[0].path != tt.path || lines[0].alg != tt.alg || (lines[0].odd != "") != tt.odd {
			t.Errorf("%s: %+v, %v", name, lines, err)
		}
	}
	for _, bad := range []string{",sha256=x,1\n", "a\x00b,,\n"} {
		if _, err := parseRecord([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	if _, err := parseRecord(bytes.Repeat([]byte("a\n"), maxRecordLines+1)); err == nil {
		t.Error("more lines than the limit were read")
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte("demo/a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n\"x\"\"y\",md5=,\n"))
	f.Add([]byte("\ufeff\"a\nb\",,,\n../../x,sha512=AA,-1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, _ := parseRecord(data)
		d := &distribution{root: "a/b/", lines: lines}
		for _, dir := range d.packages() {
			if !strings.HasPrefix(dir, "a/b/") {
				t.Errorf("%q is no folder of the distribution", dir)
			}
		}
		for _, l := range lines {
			if at, ok := d.at(l.path); ok && (strings.HasPrefix(at, "../") || strings.HasPrefix(at, "/")) {
				t.Errorf("%q leads to %q", l.path, at)
			}
		}
	})
}
