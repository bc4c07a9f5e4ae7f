package pystrip

import (
	"context"
	"strings"
	"testing"
)

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"", "a = 'b' \"c\" '''d''' rb'e' # f\n", "if a:\n\tb = 1\nelse: b = 2", "'", "\\", "a\\\r\nb", "f'{x!r:>{w}}'", "from . import (a, b as c)", "(((", ")))", "é = 1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s := newScanner(src)
		at := 0
		for n := 0; ; n++ {
			tok := s.next()
			if tok.start < at || tok.end < tok.start || tok.end > len(src) {
				t.Fatalf("token %+v behind %d of %d", tok, at, len(src))
			}
			if n > 2*len(src)+4 {
				t.Fatal("no end")
			}
			at = tok.end
			if tok.kind == tokEnd {
				break
			}
		}
		parseModule(src, nil)
	})
}

func FuzzVersion(f *testing.F) {
	for _, s := range []string{"'1.2'", "'.'.join(map(str, (1, 2)))", "'%s.%s' % (1, 2)", "f'{a}.{b}'", "(1, 2, 'rc', 1)", "a if b else c", "a[1:2]", "dict(a=1)['a']", "'{0[0]}'.format((1,))", "[x for x in (1,)]", "not -1", "{'a': 1}"} {
		f.Add("__version__ = " + s + "\na, b = 1, (2,)\n")
	}
	f.Fuzz(func(t *testing.T, src string) {
		files := map[string][]byte{"six.py": []byte(src), "yaml/__init__.py": []byte(src), "yaml/_version.py": []byte(src)}
		for _, p := range Scan(context.Background(), input(files), Options{}).Packages {
			for _, v := range append(p.Versions, p.Version) {
				if v != "" && Normal(v) != v {
					t.Errorf("version %q is not in normal form: %q", v, Normal(v))
				}
			}
		}
	})
}

func FuzzNormal(f *testing.F) {
	for _, s := range []string{"1.2", "v1!0.0+a.b", "1-1", "1.0.rc", "01", "1.0.dev"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := Normal(s)
		if v != "" && (Normal(v) != v || strings.ContainsAny(v, " \n/@")) {
			t.Errorf("Normal(%q) = %q, whose normal form is %q", s, v, Normal(v))
		}
	})
}

func FuzzMarshal(f *testing.F) {
	for minor := 8; minor <= 14; minor++ {
		f.Add(compiledModule(minor, "1.2"))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		c, err := readCompiled(data)
		if err != nil {
			return
		}
		m := c.module(nil)
		w := &world{load: func([]string) *module { return m }}
		for name := range m.bindings {
			w.lookup(m, name)
		}
	})
}
