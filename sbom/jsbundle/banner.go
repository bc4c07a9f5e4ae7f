package jsbundle

import (
	"bytes"
	"path"
	"strings"
	"unicode"
)

// Bounds on how far a comment is read: what names a package stands at its top.
const (
	bannerLines = 8
	lineBytes   = 400
)

// Banner names the package that a licence comment is about, by the forms that
// authors use: "name" above "Copyright" and a licence, "name v1.2.3",
// "name <https://...>", "name. MIT License. Author". text is the comment without
// its marks, offset its place in the bundle (-1 when it lies in the companion
// from). No claim when the comment names nobody: that a person holds the rights
// says nothing about which package it is.
func Banner(text []byte, offset int64, from string) []Claim {
	b := readBanner(string(text[:min(len(text), bannerLines*lineBytes)]))
	if b.name == "" {
		return nil
	}
	return []Claim{{Name: b.name, Version: b.version, Method: MethodLicence, Confidence: b.confidence, Offset: offset, From: from,
		Detail: "a licence comment names it"}}
}

// bannerReader collects what the comments of a bundle say. A run of line comments is
// one comment.
type bannerReader struct {
	claims []Claim
	seen   map[banner]bool
	titles []saying // of which known packages, where; of all of them
	run    []byte   // line comments that follow each other
	start  int64    // of run
	end    int64
}

// maxBanners bounds the claims of one bundle.
const maxBanners = 10_000

// token looks at one token of the bundle.
func (b *bannerReader) token(t *Token) {
	if t.Kind != Comment {
		return
	}
	if bytes.HasPrefix(t.Text, []byte("//")) {
		if len(b.run) == 0 || t.Offset-b.end > 64 || len(b.run) > bannerLines*lineBytes {
			b.flush()
			b.start = t.Offset
		}
		b.end = t.Offset + int64(len(t.Text))
		b.run = append(append(b.run, t.Text[2:min(len(t.Text), lineBytes)]...), '\n')
		return
	}
	b.flush()
	text := bytes.TrimSuffix(t.Text[2:], []byte("*/"))
	if bytes.HasPrefix(text, []byte("! "+esbuildBlock)) {
		for _, c := range legalEntries(text, int(t.Offset)+2, "") {
			b.add(c) // of the whole bundle: it gives no title to the module that it happens to follow
		}
		return
	}
	b.read(text, t.Offset)
}

// flush reads the run of line comments.
func (b *bannerReader) flush() {
	if len(b.run) > 0 {
		b.read(b.run, b.start)
		b.run = b.run[:0]
	}
}

func (b *bannerReader) read(text []byte, offset int64) {
	for _, c := range title(text[:min(len(text), bannerLines*lineBytes)], offset) {
		if len(b.titles) < maxBanners && Known(c.Name) {
			b.titles = append(b.titles, saying{name: c.Name, at: c.Offset})
		}
		b.add(c)
	}
}

// title returns what a comment of a script names, if it looks like a title.
func title(text []byte, offset int64) []Claim {
	if len(text) == 0 || text[0] != '!' && !legalWords(string(text)) && !bytes.Contains(text, []byte(".js")) && !bytes.Contains(text, []byte("@version")) {
		return nil
	}
	return Banner(text, offset, "")
}

func (b *bannerReader) add(c Claim) {
	key := banner{name: c.Name, version: c.Version}
	if b.seen[key] || len(b.claims) >= maxBanners {
		return
	}
	if b.seen == nil {
		b.seen = map[banner]bool{}
	}
	b.seen[key] = true
	b.claims = append(b.claims, c)
}

// banner is what a comment says. The zero value says nothing.
type banner struct {
	name, version string
	confidence    float64
}

// readBanner tries each form on the comment's first lines.
func readBanner(text string) banner {
	lines := bannerText(text)
	if len(lines) == 0 {
		return banner{}
	}
	for _, form := range []func([]string) banner{reactBanner, productBanner, addressBanner, scopedBanner, dottedBanner, copyrightBanner} {
		if b := form(lines); b.name != "" {
			if b.confidence == 0 {
				b.confidence = 0.9
			}
			return b
		}
	}
	return banner{}
}

// bannerText returns the first lines that are not blank, without the comment's
// decoration and without @license and the like in front.
func bannerText(text string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Trim(line[:min(len(line), lineBytes)], " \t\r*!/")
		for _, tag := range []string{"@license", "@preserve", "@overview", "@fileOverview"} {
			if rest, ok := strings.CutPrefix(line, tag); ok {
				line = strings.TrimLeft(rest, " \t")
			}
		}
		if line == "" {
			continue
		}
		if out = append(out, line); len(out) == bannerLines {
			break
		}
	}
	return out
}

// reactBanner reads "React v16.13.1" above "react-dom.production.min.js": the
// first line is the family's, the second names the package.
func reactBanner(lines []string) banner {
	family, version := splitVersion(lines[0])
	if family != "React" || len(lines) < 2 {
		return banner{}
	}
	file, _, ok := strings.Cut(lines[1], ".")
	if !ok || !strings.HasSuffix(lines[1], ".js") {
		return banner{}
	}
	name, ok := reactFiles()[file]
	if !ok {
		return banner{}
	}
	return banner{name: name, version: version}
}

// productBanner reads a line that starts with a product's name of the table,
// with the version behind it or on the next line. The name of a product is an
// ordinary word too often: something else must say that this is its banner.
func productBanner(lines []string) banner {
	text := strings.Join(lines, "\n")
	first, _, _ := strings.Cut(lines[0], " | ") // behind it stand licences, and what they have versions of
	first, version := splitVersion(first)
	for _, cut := range []string{" - ", " -- ", " <", " (c)", " (C)", ", ", ". ", " by ", " http"} {
		first, _, _ = strings.Cut(first, cut)
	}
	name := productNamed(first, text)
	if name == "" {
		return banner{}
	}
	for i, line := range lines[1:] {
		if version == "" && (i == 0 || strings.HasPrefix(line, "@version")) {
			version = versionLine(line)
		}
	}
	if version == "" && !strings.HasSuffix(first, ".js") && !legalWords(text) {
		return banner{}
	}
	return banner{name: name, version: version}
}

// versionLine reads "version : 1.2.3", "@version v1.2.3" and "v1.2.3".
func versionLine(line string) string {
	v := strings.TrimPrefix(line, "@")
	if len(v) > len("version") && strings.EqualFold(v[:len("version")], "version") {
		v = v[len("version"):]
	}
	v = strings.TrimPrefix(strings.TrimLeft(v, " \t:"), "v")
	if v, _, _ = strings.Cut(v, " "); exact(v) != "" {
		return v
	}
	return ""
}

// legalWords reports whether a text speaks of rights.
func legalWords(text string) bool {
	return strings.Contains(text, "opyright") || strings.Contains(text, "icense") || strings.Contains(text, "(c)")
}

// addressBanner reads "name <https://github.com/owner/name>", which must agree
// with each other, "https://mths.be/name v1.2.3 by @mathias", and
// "[name]{@link https://github.com/owner/name}" above "@version 1.2.3".
func addressBanner(lines []string) banner {
	line := lines[0]
	if rest, ok := strings.CutPrefix(line, "["); ok {
		if name, link, ok := strings.Cut(rest, "]{@link "); ok && plainName(name) && path.Base(strings.TrimRight(link, "}/")) == name && len(lines) > 1 {
			version, _ := strings.CutPrefix(lines[1], "@version ")
			if exact(version) == "" {
				version = ""
			}
			return banner{name: name, version: version}
		}
	}
	if i := strings.Index(line, "://mths.be/"); i >= 0 && i < 8 && strings.Contains(line, "by @mathias") {
		name, version := splitVersion(line[i+len("://mths.be/"):])
		name = mathias()[name]
		return banner{name: name, version: version}
	}
	name, rest, ok := strings.Cut(line, " <")
	if !ok {
		return banner{}
	}
	address, _, ok := strings.Cut(rest, ">")
	name, version := splitVersion(name)
	if !ok || !strings.HasPrefix(address, "http") || !plainName(name) || strings.HasPrefix(name, "lodash") {
		return banner{} // lodash's own are in the table: "lodash (Custom Build)" is any of its packages
	}
	if path.Base(strings.TrimRight(address, "/")) != name {
		return banner{}
	}
	return banner{name: name, version: version}
}

// scopedBanner reads "@scope/name v1.2.3", which no prose looks like.
func scopedBanner(lines []string) banner {
	word, _, _ := strings.Cut(lines[0], " ")
	if !strings.HasPrefix(word, "@") {
		return banner{}
	}
	name, version := splitVersion(lines[0])
	if name != word || version == "" || !plainName(name) || !strings.Contains(name, "/") {
		return banner{}
	}
	return banner{name: name, version: version}
}

// dottedBanner reads "name. MIT License. Author <address>", and
// not of formdata-polyfill, whose comment undici copied with a part of it.
func dottedBanner(lines []string) banner {
	name, rest, ok := strings.Cut(lines[0], ". ")
	if !ok || !plainName(name) {
		return banner{}
	}
	licence, author, ok := strings.Cut(rest, ". ")
	if !ok || !strings.HasSuffix(licence, "License") || !strings.Contains(author, "/opensource>") || name == "formdata-polyfill" {
		return banner{}
	}
	return banner{name: name}
}

// copyrightBanner reads a name alone, with nothing between it and the line of
// the copyright, and below that the licence: the form of express and of what it
// is built from. "name - index.js" is the same with the file. One without the
// licence is as often the name of a part.
func copyrightBanner(lines []string) banner {
	name, file, _ := strings.Cut(lines[0], " - ")
	if !plainName(name) || len(lines) < 3 || file != "" && !strings.HasSuffix(file, ".js") || strings.HasSuffix(name, ".js") {
		return banner{}
	}
	i := 1
	for i < len(lines) && strings.HasPrefix(lines[i], "Copyright") {
		i++
	}
	if i == 1 || i == len(lines) || !strings.ContainsFunc(lines[1], unicode.IsDigit) {
		return banner{}
	}
	licence := lines[i]
	if !strings.HasPrefix(licence, "MIT Licensed") && !strings.HasPrefix(licence, "Released under the MIT") && !strings.HasPrefix(licence, "Licensed under the MIT") {
		return banner{}
	}
	return banner{name: name, confidence: 0.85}
}

// splitVersion splits "name v1.2.3 and more" where the version stands: behind
// the first words, with or without "v", "@" or "version". version is "" when
// the line has none; then name is the whole line.
func splitVersion(line string) (name, version string) {
	words := strings.Fields(line)
	for i, w := range words {
		if i == 0 {
			if at := strings.LastIndexByte(w, '@'); at > 0 && exact(w[at+1:]) != "" {
				return w[:at], w[at+1:]
			}
			continue
		}
		if i > 6 {
			break
		}
		v := strings.TrimRight(strings.TrimLeft(w, "v("), ",;:)")
		if exact(v) != "" {
			name = strings.Join(words[:i], " ")
			for _, tail := range []string{" version", " Version", " v", ","} {
				name = strings.TrimSuffix(name, tail)
			}
			return strings.TrimRight(name, " ,:-"), v
		}
	}
	return line, ""
}
