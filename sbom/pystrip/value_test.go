package pystrip

import (
	"slices"
	"strings"
	"testing"
)

// TestVersionOfModule works out __version__ of one module.
func TestVersionOfModule(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"plain", `__version__ = "1.2.3"`, "1.2.3"},
		{"single quotes", `__version__ = '1.2.3'`, "1.2.3"},
		{"triple quotes", "__version__ = \"\"\"1.2.3\"\"\"", "1.2.3"},
		{"raw and unicode prefixes", `__version__ = u"1." r'2'`, "1.2"},
		{"typed", `__version__: Final[str] = "1.2"`, "1.2"},
		{"behind a docstring", "'''It's \"the\" one.\n__version__ = '9'\n'''\n__version__ = '1.2'", "1.2"},
		{"in a comment", "# __version__ = '9'\n__version__ = '1.2' # '3'", "1.2"},
		{"last one counts", "__version__ = '1.1'\n__version__ = '1.2'", "1.2"},
		{"chained", "__version__ = version = '1.2'", "1.2"},
		{"other name", "VERSION = '1.2'\n__version__ = VERSION", "1.2"},
		{"semicolons", "a = 1; __version__ = '1.2'; b = 2", "1.2"},
		{"brackets", "__version__ = (\n  '1.'\n  '2'\n)", "1.2"},
		{"backslash", "__version__ = \\\n '1.2'", "1.2"},
		{"tuple target", "name, __version__ = 'x', '1.2'", "1.2"},
		{"tuple", "VERSION = (1, 2, 3, 'final', 0)\n__version__ = '.'.join(map(str, VERSION[:3]))", "1.2.3"},
		{"generator", "info = (1, 2, 3)\n__version__ = '.'.join(str(i) for i in info)", "1.2.3"},
		{"list comprehension", "info = (1, 2, '3')\n__version__ = '.'.join([str(i) for i in info])", "1.2.3"},
		{"percent", "__version__ = '%s.%d' % (1, 2)", "1.2"},
		{"percent with one", "v = 2\n__version__ = '1.%s' % v", "1.2"},
		{"format", "i = (1, 2)\n__version__ = '{}.{}'.format(*i)", "1.2"},
		{"format with index", "i = (1, 2)\n__version__ = '{0[0]}.{0[1]}'.format(i)", "1.2"},
		{"f-string", "a, b = 1, 2\n__version__ = f'{a}.{b}'", "1.2"},
		{"concatenation", "__version__ = '1.' + '2'", "1.2"},
		{"adding on", "__version__ = '1.2'\n__version__ += '.3'", "1.2.3"},
		{"dict", "p = dict(version_info=(1, 2), __version__='1.2')\n__version__ = p['__version__']", "1.2"},
		{"function", "V = (1, 2)\ndef get():\n    'Doc.'\n    return '%d.%d' % V\n__version__ = get()", "1.2"},
		{"version function", "V = (1, 2, 0, 'rc', 1)\ndef get_version(v):\n    x = 1\n    return x\n__version__ = get_version(V)", "1.2.0rc1"},
		{"condition that holds", "R = 15\nif R == 0x0F:\n    __version__ = '1.2'\nelse:\n    __version__ = '1.3'", "1.2"},
		{"condition that does not", "V = (1, 2, None)\nif V[2] is not None:\n    __version__ = '9'\nelif len(V) > 5:\n    __version__ = '8'\nelse:\n    __version__ = '1.2'", "1.2"},
		{"unknown condition", "import sys\nif sys.x:\n    __version__ = '1.2'\nelse:\n    __version__ = '1.3'", "1.2 1.3"},
		{"ternary", "import sys\n__version__ = '1.2' if sys.x else '1.3'", "1.2 1.3"},
		{"type checking", "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    __version__ = '9'\nelse:\n    __version__ = '1.2'", "1.2"},
		{"try with a fallback", "try:\n    __version__ = '1.2'\nexcept ImportError:\n    __version__ = '9'", "1.2"},
		{"metadata", "from importlib.metadata import version\ntry:\n    __version__ = version('x')\nexcept Exception:\n    __version__ = '99.9'", ""},
		{"metadata of either kind", "import sys\nif sys.v:\n    from importlib import metadata\nelse:\n    import importlib_metadata as metadata\ntry:\n    __version__ = metadata.version('x')\nexcept Exception:\n    __version__ = '99.9'", ""},
		{"placeholder", "__version__ = '0.0.0'", ""},
		{"unknown local part", "__version__ = '0+unknown'", ""},
		{"no version", "__version__ = 'main'", ""},
		{"in a function", "def f():\n    __version__ = '9'\n", ""},
		{"in a class", "class C:\n    __version__ = '9'\n__version__ = '1.2'", "1.2"},
		{"itself", "__version__ = '1.2'\n__version__ = __version__", "1.2"},
		{"in a circle", "a = b\nb = a\n__version__ = a", ""},
		{"string never closed", "x = 'abc\n__version__ = '1.2'", "1.2"},
		{"float", "__version__ = 1.2", "1.2"},
		{"strip", "__version__ = ' 1.2\\n'.strip()", "1.2"},
		{"split", "__version__ = '1.2-rel'.split('-')[0]", "1.2"},
		{"incremental", "from incremental import Version\n__version__ = Version('Thing', 22, 10, 0)", "22.10.0"},
		{"one-line if", "if True: __version__ = '1.2'", "1.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := parseModule([]byte(tt.src), nil)
			w := &world{top: "x", load: func([]string) *module { return nil }}
			var got []string
			for _, v := range w.lookup(m, "__version__") {
				if s := versionText(v); s != "" && !slices.Contains(got, s) {
					got = append(got, s)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestNormal(t *testing.T) {
	for in, want := range map[string]string{
		"1.2.3": "1.2.3", "v1.2": "1.2", "2022.09.24": "2022.9.24", "1.0-RC1": "1.0rc1", "1.0.alpha": "1.0a0", "1.0b2": "1.0b2", "1.0.post1": "1.0.post1", "1.0-1": "1.0.post1",
		"1.0.dev3": "1.0.dev3", "1.0rc1.post2.dev3+local-1": "1.0rc1.post2.dev3+local.1", "1!2.0": "1!2.0", "0!2.0": "2.0", "2.9.5 (dt dec pq3)": "2.9.5", "1": "1",
		"0": "", "0.0.0": "", "": "", "x": "", "1.2.x": "", "1..2": "", "1.2.": "", "1.2+unknown": "", strings.Repeat("1", 200): "",
	} {
		if got := Normal(in); got != want {
			t.Errorf("Normal(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTupleVersion(t *testing.T) {
	for in, want := range map[string]string{
		"(1, 2, 3)": "1.2.3", "(1, 2, 3, 'final', 0)": "1.2.3", "(1, 2, 0, 'alpha', 4)": "1.2.0a4", "('1', '2')": "1.2", "(3, 11, '0')": "3.11.0", "(1, 2, None)": "1.2",
		"(1, 2, 'dev3')": "1.2.dev3", "(1, 2, '.post1')": "1.2.post1", "('a', 1)": "", "(1,)": "",
	} {
		m := parseModule([]byte("v = "+in), nil)
		w := &world{load: func([]string) *module { return nil }}
		if got := versionText(w.one(m, "v")); got != want {
			t.Errorf("%s = %q, want %q", in, got, want)
		}
	}
}

// TestTable parses the table that is shipped.
func TestTable(t *testing.T) {
	tab, err := parseTable(projectsText)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"yaml": "PyYAML", "PIL": "pillow", "google.protobuf": "protobuf", "google.cloud.some_thing": "google-cloud-some-thing", "zope.whatever": "zope.whatever", "requests": "requests", "nobodys": "", "google": "", "azure.mgmt": "",
	} {
		got := ""
		if e := tab.find(name); e != nil {
			got = e.projects[0]
		}
		if got != want {
			t.Errorf("find(%q) = %q, want %q", name, got, want)
		}
	}
	for name, e := range tab.names {
		for _, p := range e.projects {
			if !projectLike(p) {
				t.Errorf("%s: %q is no project's name", name, p)
			}
		}
	}
}

func TestParseTableRefuses(t *testing.T) {
	for _, bad := range []string{"a\tb\tc\td", "?", "x.*\ty", "a\nb\na", "a\tb\tc"} {
		if _, err := parseTable(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
