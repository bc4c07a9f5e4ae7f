package licence

import "strings"

// Read reads what a package says of its licence. sure is false when it is no
// expression of identifiers but one of the usual words for some; ok is false
// when nobody can say what is meant.
func Read(text string) (e Expression, sure, ok bool) {
	e, err := Parse(text)
	if err == nil && e.known() {
		return e, true, true
	}
	if one, found := inWords(text); found {
		return one, false, true
	}
	if err != nil {
		return Expression{}, false, false
	}
	return e.worded(), false, len(e.All)+len(e.Any) > 0
}

// worded reads the parts of an expression that are words; what nobody knows stays.
func (e Expression) worded() Expression {
	switch {
	case len(e.All) > 0:
		e.All = eachWorded(e.All)
	case len(e.Any) > 0:
		e.Any = eachWorded(e.Any)
	case !e.Licence.Known && e.Licence.Exception == "":
		if found, ok := inWords(e.Licence.ID); ok {
			return found
		}
	}
	return e
}

func eachWorded(list []Expression) []Expression {
	out := make([]Expression, len(list))
	for i, e := range list {
		out[i] = e.worded()
	}
	return out
}

// inWords looks a text up in the table. A word for several licences ("BSD") is
// read as all of them together: whichever is meant, it must be allowed. Two
// identifiers with a slash between them are a choice: so Cargo's manifest wrote
// it before it knew expressions (The Cargo Book, "The license and license-file
// fields").
func inWords(text string) (Expression, bool) {
	if len(text) > maxLength {
		return Expression{}, false
	}
	key := strings.ToLower(strings.Join(strings.Fields(text), " "))
	if i := strings.LastIndex(key, ":: "); i >= 0 {
		key = key[i+len(":: "):] // a classifier of PyPI: "License :: OSI Approved :: MIT License"
	}
	key = strings.TrimPrefix(key, "the ")
	if ids, ok := words()[key]; ok {
		return allOf(ids), true
	}
	parts := strings.Split(text, "/")
	var any []Expression
	for _, part := range parts {
		l := licenceOf(strings.TrimSpace(part))
		if !l.Known {
			return Expression{}, false
		}
		any = append(any, Expression{Licence: l})
	}
	return Expression{Any: any}, len(parts) > 1
}

func allOf(ids string) Expression {
	var all []Expression
	for _, id := range strings.Fields(ids) {
		all = append(all, Expression{Licence: licenceOf(id)})
	}
	if len(all) == 1 {
		return all[0]
	}
	return Expression{All: all}
}

// words are the usual words for licences, in lower case and without "The", and
// what each can mean. Sources, as known on 2026-11-28: the names that the SPDX list gives
// to its identifiers, the licence classifiers of PyPI, the names in the POMs of
// Apache and Eclipse projects, and the four families that npm wrote before it
// knew expressions (BSD, GPL, LGPL, MIT/X11).
func words() map[string]string {
	const (
		apache2 = "Apache-2.0"
		bsd     = "BSD-2-Clause BSD-3-Clause"
		lgpl    = "LGPL-2.0-only LGPL-2.1-only LGPL-3.0-only"
		gpl     = "GPL-1.0-only GPL-2.0-only GPL-3.0-only"
		epl     = "EPL-1.0 EPL-2.0"
		mpl     = "MPL-1.0 MPL-1.1 MPL-2.0"
	)
	return map[string]string{
		"apache 2": apache2, "apache 2.0": apache2, "apache-2": apache2, "apache2": apache2, "apache v2": apache2, "apache license 2.0": apache2, "apache license v2.0": apache2,
		"apache license, version 2.0": apache2, "apache license version 2.0": apache2, "apache software license, version 2.0": apache2,
		"apache software license 2.0": apache2, "apache software license - version 2.0": apache2, "asl 2.0": apache2,
		"apache": "Apache-1.1 Apache-2.0", "apache license": "Apache-1.1 Apache-2.0", "apache software license": "Apache-1.1 Apache-2.0",

		"mit license": "MIT", "mit/x11": "MIT", "mit license (mit)": "MIT", "expat": "MIT", "expat license": "MIT", "mit no attribution license (mit-0)": "MIT-0",
		"isc license": "ISC", "isc license (iscl)": "ISC", "zlib/libpng license": "Zlib", "boost software license 1.0 (bsl-1.0)": "BSL-1.0",
		"unlicense (unlicense)": "Unlicense", "python software foundation license": "PSF-2.0", "psf": "PSF-2.0",
		"cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0", "cc0": "CC0-1.0", "universal permissive license (upl)": "UPL-1.0",
		"historical permission notice and disclaimer (hpnd)": "HPND", "zope public license": "ZPL-1.1 ZPL-2.0 ZPL-2.1",

		"bsd": bsd, "bsd license": bsd, "new bsd license": "BSD-3-Clause", "new bsd": "BSD-3-Clause", "modified bsd license": "BSD-3-Clause", "3-clause bsd license": "BSD-3-Clause",
		"bsd 3-clause": "BSD-3-Clause", "bsd-3": "BSD-3-Clause", "bsd 3-clause license": "BSD-3-Clause", "revised bsd": "BSD-3-Clause",
		"simplified bsd license": "BSD-2-Clause", "bsd 2-clause": "BSD-2-Clause", "bsd 2-clause license": "BSD-2-Clause", "2-clause bsd license": "BSD-2-Clause",

		"gpl": gpl, "gnu general public license (gpl)": gpl, "gplv2": "GPL-2.0-only", "gplv3": "GPL-3.0-only", "gpl v2": "GPL-2.0-only", "gpl v3": "GPL-3.0-only",
		"gnu general public license v2 (gplv2)": "GPL-2.0-only", "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
		"gnu general public license v3 (gplv3)": "GPL-3.0-only", "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
		"gnu affero general public license v3": "AGPL-3.0-only", "gnu affero general public license v3 or later (agplv3+)": "AGPL-3.0-or-later",
		"agpl": "AGPL-1.0-only AGPL-3.0-only", "agplv3": "AGPL-3.0-only",
		"lgpl": lgpl, "gnu lesser general public license": lgpl, "gnu library or lesser general public license (lgpl)": lgpl, "lgplv3": "LGPL-3.0-only",
		"gnu lesser general public license v2 (lgplv2)": "LGPL-2.0-only", "gnu lesser general public license v2 or later (lgplv2+)": "LGPL-2.0-or-later",
		"gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only", "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
		"gnu lesser general public license, version 2.1": "LGPL-2.1-only", "lgpl 2.1": "LGPL-2.1-only", "lgpl, version 2.1": "LGPL-2.1-only",

		"mpl": mpl, "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "mpl 2.0": "MPL-2.0", "mozilla public license 2.0": "MPL-2.0", "mozilla public license, version 2.0": "MPL-2.0",
		"mozilla public license 1.1 (mpl 1.1)": "MPL-1.1", "mpl 1.1": "MPL-1.1",
		"epl": epl, "eclipse public license": epl, "eclipse public license 1.0": "EPL-1.0", "eclipse public license - v 1.0": "EPL-1.0", "eclipse public license v1.0": "EPL-1.0",
		"eclipse public license 2.0": "EPL-2.0", "eclipse public license v2.0": "EPL-2.0", "eclipse public license 2.0 (epl-2.0)": "EPL-2.0", "eclipse distribution license - v 1.0": "BSD-3-Clause",
		"cddl": "CDDL-1.0 CDDL-1.1", "cddl 1.0": "CDDL-1.0", "cddl 1.1": "CDDL-1.1", "common public license version 1.0": "CPL-1.0",
	}
}
