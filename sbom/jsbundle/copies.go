package jsbundle

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"sync"
)

// headBytes is how far into a file a comment of any kind may be its title.
// Further on only those count that authors mark as legal ones.
const headBytes = 4 << 10

// Copies names the published packages that a script is a copy of, although it is
// no bundle and lies in no package's folder: by the licence comments in it that
// name one, and by texts that only one package has. name is the script's path.
// Unlike in a bundle, a comment there may be the function's own: only names that
// this program knows are taken. The time is linear in the length of src.
func Copies(name string, src []byte) []Claim {
	claims := titles(src)
	if len(claims) > 0 && !hasCode(src) {
		return nil
	}
	done := map[string]bool{}
	for _, c := range claims {
		done[c.Name] = c.Version != ""
	}
	open := slices.ContainsFunc(claims, func(c Claim) bool { return !done[c.Name] })
	rules := literals().mentions(src, done)
	if !open && len(rules) == 0 {
		return claims
	}
	if said, ok := literals().versionless(src, rules); ok && !open {
		return append(claims, said...)
	}
	var r literalReader
	_ = Lex(src[:codeEnd(src)], r.token) // what comes before a mistake counts
	claims = append(claims, r.claims()...)
	return append(claims, r.lone(name, claims)...)
}

// hasCode reports whether a script is more than comments: bundlers write the
// licences into a file of their own.
func hasCode(src []byte) bool {
	for {
		src = bytes.TrimSpace(src)
		end := "\n"
		switch {
		case bytes.HasPrefix(src, []byte("/*")):
			end = "*/"
		case !bytes.HasPrefix(src, []byte("//")):
			return len(src) > 0
		}
		i := bytes.Index(src[2:], []byte(end))
		if i < 0 {
			return false
		}
		src = src[2+i+len(end):]
	}
}

// titles returns what the comments of a script say that may name a package.
func titles(src []byte) []Claim {
	var b bannerReader
	read := func(text []byte, at int) {
		text = text[:min(len(text), bannerLines*lineBytes)]
		for _, c := range title(text, int64(at)) {
			if Known(c.Name) && (c.Version != "" || legalWords(string(text))) { // "moment.js" alone may be the name of a file
				b.add(c)
			}
		}
	}
	head := src[:min(len(src), headBytes)]
	for _, c := range comments(head) {
		read(c.text, c.offset)
	}
	if text := leadingLines(head); len(text) > 0 {
		read(text, 0)
	}
	for at := 0; ; {
		i := bytes.Index(src[at:], []byte("/*!"))
		if i < 0 {
			break
		}
		i += at
		text := src[i+2 : min(len(src), i+2+bannerLines*lineBytes)]
		if end := bytes.Index(text, []byte("*/")); end >= 0 {
			text = text[:end]
		}
		at = i + 2 + len(text)
		if i >= headBytes {
			read(text, i)
		}
	}
	return b.claims
}

// leadingLines returns the text of the line comments that a script starts with.
func leadingLines(head []byte) []byte {
	var text []byte
	for line := range lines(head) {
		line = bytes.TrimSpace(line)
		rest, ok := bytes.CutPrefix(line, []byte("//"))
		if !ok && (len(line) > 0 || len(text) > 0) {
			break
		}
		if ok {
			text = append(append(text, rest...), '\n')
		}
	}
	return text
}

// versionless returns what rules prove that tell no version, and need no look at
// the tokens for that: nobody writes all of a rule's texts into comments. It is
// false when one of them tells more.
func (t *literalTable) versionless(src []byte, rules []int) ([]Claim, bool) {
	var out []Claim
	for _, n := range rules {
		r := &t.rules[n]
		if len(r.versions) > 0 || len(r.none) > 0 || len(rules) >= maxGuesses {
			return nil, false
		}
		out = append(out, Claim{Name: r.name, Method: MethodLiteral, Confidence: 0.75, Offset: int64(bytes.Index(src, []byte(t.texts[r.all[0]]))),
			Detail: "texts that only this package has"})
	}
	return unique(out), true
}

// lone returns the version of a script that is a copy of one package, by its
// title or its name, and that calls one string its version and no other.
func (r *literalReader) lone(file string, claims []Claim) []Claim {
	if len(claims) == 0 || slices.ContainsFunc(claims, func(c Claim) bool { return c.Name != claims[0].Name || c.Version != "" }) {
		return nil
	}
	if c := claims[0]; !Titled(c) && !NamedAfter(file, c.Name) {
		return nil
	}
	v := r.only(func(v versionLiteral) bool { return v.prefix == "" && isVersion([]byte(v.key)) })
	if v.version == "" {
		return nil
	}
	return []Claim{{Name: claims[0].Name, Version: v.version, Method: MethodLiteral, Confidence: 0.75, Offset: v.offset,
		Detail: "the only version in a file that is a copy of it"}}
}

// Titled reports whether a claim comes from the comment at the top of a file,
// which is about the whole file.
func Titled(c Claim) bool {
	return c.Method == MethodLicence && c.From == "" && c.Offset >= 0 && c.Offset < headBytes
}

// NamedAfter reports whether a file has the name of a package: lodash.min.js,
// jquery-3.4.1.js.
func NamedAfter(file, name string) bool {
	base := strings.TrimSuffix(path.Base(file), path.Ext(file))
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".min"), "-min")
	name = strings.TrimSuffix(path.Base(name), ".js")
	rest, ok := strings.CutPrefix(strings.ToLower(base), name)
	return ok && strings.Trim(rest, "-.v0123456789js") == ""
}

// Known reports whether a package is one of those that this program knows by
// name: most that are copied around.
func Known(name string) bool { return known()[name] }

// known are the packages that a comment in somebody's own file may name: those
// of the tables, and those whose files have a title of the common forms. Any
// other name is more likely that of a part of the function.
var known = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, list := range products() {
		for _, p := range list {
			all[p.name] = true
		}
	}
	for _, r := range literals().rules {
		all[r.name] = true
	}
	for _, name := range reactFiles() {
		all[name] = true
	}
	for _, name := range mathias() {
		all[name] = true
	}
	for name := range strings.FieldsSeq(titled) {
		all[name] = true
	}
	return all
})

// titled are packages whose files start with their name above a copyright and a
// licence, or with "name. MIT License. Author" (as of 2026-11-28).
const titled = `accepts append-field array-flatten basic-auth bytes compressible compression connect connect-redis
	cookie-parser cookie-session cors csurf destroy encodeurl errorhandler escape-html express-session forwarded fresh
	hammerjs method-override methods mime-types multiparty on-finished parseurl random-bytes range-parser resolve-path
	response-time router serve-favicon serve-index toidentifier type-is uid-safe vhost
	base64-js is-buffer queue-microtask run-parallel safe-buffer simple-concat simple-get`
