package licence

import (
	"reflect"
	"strings"
	"testing"
)

// spelled writes an expression with all of its parentheses.
func spelled(e Expression) string {
	join := func(list []Expression, word string) string {
		var out []string
		for _, sub := range list {
			out = append(out, spelled(sub))
		}
		return "(" + strings.Join(out, " "+word+" ") + ")"
	}
	switch {
	case len(e.All) > 0:
		return join(e.All, "AND")
	case len(e.Any) > 0:
		return join(e.Any, "OR")
	case !e.Licence.Known:
		return e.Licence.String() + "?"
	}
	return e.Licence.String()
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"MIT":                         "MIT",
		"mit":                         "MIT",
		" apache-2.0 ":                "Apache-2.0",
		"(MIT)":                       "MIT",
		"MIT OR Apache-2.0":           "(MIT OR Apache-2.0)",
		"mit or apache-2.0 and isc":   "(MIT OR (Apache-2.0 AND ISC))",
		"(MIT OR Apache-2.0) AND ISC": "((MIT OR Apache-2.0) AND ISC)",
		"Apache-2.0+":                 "Apache-2.0+",
		"GPL-2.0":                     "GPL-2.0-only",
		"GPL-2.0+":                    "GPL-2.0-or-later",
		"gpl-3.0-or-later":            "GPL-3.0-or-later",
		"AGPL-1.0":                    "AGPL-1.0-only",
		"LicenseRef-Mine AND MIT":     "(LicenseRef-Mine AND MIT)",
		"DocumentRef-a:LicenseRef-b":  "DocumentRef-a:LicenseRef-b",
		"LicenseRef-":                 "LicenseRef-?",
		"Nonsense":                    "Nonsense?",
		"UNLICENSED":                  "UNLICENSED?",
		"NOASSERTION":                 "NOASSERTION?",
		"MIT WITH Nonsense":           "MIT WITH Nonsense?",
		"GPL-2.0 WITH Classpath-exception-2.0 OR MIT":                         "(GPL-2.0-only WITH Classpath-exception-2.0 OR MIT)",
		"gpl-2.0-or-later with classpath-exception-2.0 and isc":               "(GPL-2.0-or-later WITH Classpath-exception-2.0 AND ISC)",
		strings.Repeat("(", maxDepth) + "MIT" + strings.Repeat(")", maxDepth): "MIT",
	} {
		e, err := Parse(text)
		if err != nil || spelled(e) != want {
			t.Errorf("%s: %s, %v, want %s", text, spelled(e), err, want)
		}
	}
	for text, want := range map[string]string{
		"":                         "missing",
		"MIT OR":                   "missing",
		"OR MIT":                   "missing",
		"MIT MIT":                  "expected",
		"(MIT":                     "not closed",
		"MIT)":                     "expected",
		"()":                       "missing",
		"MIT WITH":                 "exception is missing",
		"MIT WITH WITH MIT":        "expected",
		"(MIT OR ISC) WITH MIT":    "expected",
		"Apache License":           "expected",
		strings.Repeat("x", 1001):  "at most 1000",
		strings.Repeat("(", 40):    "within one another",
		"MIT AND (ISC OR (0BSD)":   "not closed",
		"\x1b[2J MIT OR \x1b[31m ": "expected",
	} {
		if e, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %s, %v, want %q", text, spelled(e), err, want)
		}
	}
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		sure, ok   bool
	}{
		{"MIT", "MIT", true, true},
		{"Apache License, Version 2.0", "Apache-2.0", false, true},
		{"The  Apache Software License,\tVersion 2.0", "Apache-2.0", false, true},
		{"License :: OSI Approved :: MIT License", "MIT", false, true},
		{"BSD", "(BSD-2-Clause AND BSD-3-Clause)", false, true},
		{"MIT/X11", "MIT", false, true},
		{"MIT/Apache-2.0", "(MIT OR Apache-2.0)", false, true},
		{"MIT OR BSD", "(MIT OR (BSD-2-Clause AND BSD-3-Clause))", false, true},
		{"MIT OR Weird", "(MIT OR Weird?)", false, true},
		{"LGPL", "(LGPL-2.0-only AND LGPL-2.1-only AND LGPL-3.0-only)", false, true},
		{"SEE LICENSE IN LICENSE.txt", "", false, false},
		{"UNLICENSED", "", false, false},
		{"", "", false, false},
		{"a/b", "", false, false},
		{"<script>alert(1)</script>", "", false, false},
		{strings.Repeat("MIT/", 400), "", false, false},
	} {
		e, sure, ok := Read(tt.text)
		if sure != tt.sure || ok != tt.ok || ok && spelled(e) != tt.want {
			t.Errorf("%q: %s, %v, %v", tt.text, spelled(e), sure, ok)
		}
	}
	for text, ids := range words() {
		if e := allOf(ids); !e.known() {
			t.Errorf("the table says of %q what the SPDX list does not have: %s", text, spelled(e))
		}
		if text != strings.ToLower(text) || strings.HasPrefix(text, "the ") {
			t.Errorf("%q is never looked up: it is not in lower case, or starts with the", text)
		}
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		allow, deny []string
		text        string
		want        Answer
		about       string
	}{
		{nil, []string{"GPL-3.0"}, "MIT", Allowed, "MIT"},
		{nil, []string{"GPL-*"}, "GPL-2.0-or-later", Denied, "GPL-2.0-or-later"},
		{nil, []string{"gpl-*"}, "LGPL-2.1-only", Allowed, "LGPL-2.1-only"},
		{nil, []string{"GPL-2.0-only"}, "GPL-2.0+", Denied, "GPL-2.0-or-later"},
		{nil, []string{"GPL-2.0-or-later"}, "GPL-2.0", Allowed, "GPL-2.0-only"},
		{nil, []string{"GPL-*"}, "MIT OR GPL-2.0", Allowed, "MIT"},
		{nil, []string{"GPL-*"}, "MIT AND GPL-2.0", Denied, "GPL-2.0-only"},
		{nil, []string{"GPL-*"}, "Weird", Unknown, "Weird"},
		{nil, []string{"GPL-*"}, "Weird AND GPL-2.0", Denied, "GPL-2.0-only"},
		{nil, []string{"GPL-*"}, "Weird OR MIT", Allowed, "MIT"},
		{nil, []string{"GPL-*"}, "Weird OR GPL-2.0", Unknown, "Weird"},
		{nil, []string{"GPL-*"}, "LicenseRef-x", Unknown, "LicenseRef-x"},
		{nil, []string{"LicenseRef-x"}, "LicenseRef-X", Denied, "LicenseRef-X"},
		{[]string{"MIT"}, nil, "ISC", NotAllowed, "ISC"},
		{[]string{"MIT"}, nil, "MIT AND ISC AND 0BSD", NotAllowed, "ISC 0BSD"},
		{[]string{"MIT", "LicenseRef-*"}, nil, "LicenseRef-x", Allowed, "LicenseRef-x"},
		{[]string{"MIT"}, nil, "LicenseRef-x", NotAllowed, "LicenseRef-x"},
		{[]string{"Apache-2.0"}, nil, "Apache-2.0+", Allowed, "Apache-2.0+"},
		{[]string{"GPL-2.0"}, nil, "GPL-2.0-or-later", Allowed, "GPL-2.0-or-later"},
		{[]string{"GPL-2.0-only WITH Classpath-exception-2.0"}, []string{"GPL-*"}, "GPL-2.0 WITH Classpath-exception-2.0", Allowed, "GPL-2.0-only WITH Classpath-exception-2.0"},
		{[]string{"GPL-2.0-only WITH Classpath-exception-2.0"}, []string{"GPL-*"}, "GPL-2.0", Denied, "GPL-2.0-only"},
		{nil, []string{"GPL-2.0-only"}, "GPL-2.0 WITH Classpath-exception-2.0", Denied, "GPL-2.0-only WITH Classpath-exception-2.0"},
		{[]string{"GPL-2.0-only"}, []string{"GPL-*"}, "GPL-2.0", Allowed, "GPL-2.0-only"},
		{[]string{"GPL-*"}, []string{"GPL-2.0-only"}, "GPL-2.0", Denied, "GPL-2.0-only"},
		{[]string{"MIT"}, []string{"MIT"}, "MIT", Denied, "MIT"},
	} {
		l, err := NewLists(tt.allow, tt.deny)
		if err != nil {
			t.Fatal(err)
		}
		e, err := Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		got, about := l.Judge(e)
		if got != tt.want || !reflect.DeepEqual(about, licences(tt.about)) {
			t.Errorf("allow %v, deny %v: %s is %v about %q", tt.allow, tt.deny, tt.text, got, about)
		}
	}
	if a := (Lists{}).one(Licence{}); a != Unknown {
		t.Errorf("the zero licence is %v", a)
	}
}

// licences splits at spaces, but for those around WITH.
func licences(s string) []string {
	if strings.Contains(s, " WITH ") {
		return []string{s}
	}
	return strings.Fields(s)
}

func TestListErrors(t *testing.T) {
	for text, want := range map[string]string{
		"Apache2":       "not on the SPDX list",
		"MIT OR ISC":    "more than one licence",
		"*":             "",
		"GPL*":          "",
		"Foo-*":         "covers no licence",
		"*-only":        "not a pattern",
		"[G]PL-*":       "not a pattern",
		"LicenseRef-c*": "",
		"":              "missing",
	} {
		_, err := NewLists(nil, []string{"MIT", text})
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "deny[1]: ")) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzRead: whatever a package says of its licence, what is read of it is
// judged, and only what is known is ever allowed without a list of its own.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"MIT", "(MIT OR GPL-2.0+) AND (ISC OR BSD)", "GPL-2.0 WITH Classpath-exception-2.0", "MIT/X11", strings.Repeat("(", 50), "a/b/c", "License :: x :: BSD"} {
		f.Add(s)
	}
	lists, err := NewLists([]string{"MIT"}, []string{"GPL-*"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, sure, ok := Read(text)
		if sure && (!ok || !e.known()) {
			t.Errorf("%q: sure of %s", text, spelled(e))
		}
		if !ok {
			return
		}
		if a, about := lists.Judge(e); a == Allowed && !reflect.DeepEqual(about, []string{"MIT"}) {
			t.Errorf("%q: %v allowed", text, about)
		}
	})
}
