package jsbundle

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Companions are what lies beside a bundle and tells about it.
type Companions struct {
	Map      []byte // the source map, nil when there is none; an inline one too
	MapPath  string // of the source map, "" for an inline one
	Licences []Companion
	Accounts []Companion // files that may be a bundler's account: metafile, stats, SBOM
}

// Companion is one file beside a bundle.
type Companion struct {
	Path string
	Text []byte
}

// Confidence of the rungs that name a package by the path of its file. Nothing
// but a forger makes one that is wrong.
const (
	mapConfidence     = 0.98
	commentConfidence = 0.97
	keyConfidence     = 0.97
)

// Inspect gathers the evidence about the bundle at a path. Its time and memory
// are linear in the length of the bundle and of its companions.
func Inspect(name string, src []byte, c Companions) Result {
	var res Result
	if at := bytes.IndexByte(src, 0); at >= 0 && c.Map == nil && !bytes.Contains(src, []byte(packageFolder)) {
		// No bundler writes a NUL: these are data under a script's name.
		res.Gaps = []Gap{{Offset: int64(at), Reason: "text that is no JavaScript"}}
		return res
	}
	end := codeEnd(src)
	m := newMarker(src)
	var e embedded
	h := hiddenReader{evals: true}
	var wants asks
	err := Lex(src[:end], func(t *Token) {
		m.token(t)
		e.token(t)
		wants.token(t)
		h.token(t)
	})
	m.end(end)
	h.flush()
	res.Gaps, res.Asks = h.gaps, wants.names
	var lost *LexError
	if errors.As(err, &lost) {
		res.Gaps = append(res.Gaps, Gap{Offset: lost.Offset, Reason: lost.Reason})
	}
	best, told := &m.out, m.out.style != noMark
	if c.Map != nil {
		mapped, err := fromMap(src, end, m, c.Map)
		if err != nil {
			res.Gaps = append(res.Gaps, Gap{Path: c.MapPath, Offset: -1, Reason: "its source map is not used: " + err.Error()})
		} else {
			res.addAll(mapped, c.MapPath, published(src, mapped, &m.out))
			res.Claims = append(res.Claims, versionsInMap(mapped, c.MapPath)...)
			if !told || mapped.unknown() <= best.unknown() {
				res.Misnamed = mapped.contradict(&m.out)
				best, told = mapped, true
			}
		}
	}
	res.addAll(&m.out, "", nil)
	res.addAll(&m.evals, "", nil)
	res.addSaid(src[:end], &e, c.Licences)
	if !told && len(res.Claims) > 0 && NamedAfter(name, res.Claims[0].Name) {
		res.Claims = append(res.Claims, e.literals.lone(name, res.Claims)...)
	}
	if told {
		res.spans(src, best, e.sayings())
	}
	bytesSay := res.Claims[:len(res.Claims):len(res.Claims)]
	for _, a := range c.Accounts {
		res.addAccount(name, src, a, bytesSay)
	}
	return res
}

// accounted is how much of a bundle a bundler's account must tell to count as
// a list of all that is inside.
const accounted = 0.95

// addAccount takes over what a bundler's own account says, as far as the bytes
// agree with it. One that names all of a bundle that has no marks and no map is
// believed if it also names every package that the bytes do. bytesSay are the
// claims of no account.
func (r *Result) addAccount(name string, src []byte, c Companion, bytesSay []Claim) {
	size := int64(len(src))
	a, err := Metafile(c.Text, c.Path, name, size)
	if err != nil {
		a, err = Stats(c.Text, c.Path, name, size)
	}
	if err != nil {
		a, err = BOM(c.Text, c.Path)
	}
	if err != nil {
		return // some other file of that name
	}
	if !a.Agrees {
		r.Claims = append(r.Claims, Confirmed(a.Claims, bytesSay)...)
		return
	}
	named := map[string]bool{}
	for _, claim := range a.Claims {
		named[claim.Name] = true
	}
	missing := ""
	for _, claim := range r.Claims {
		if !named[claim.Name] && claim.Inside == "" {
			missing = claim.Name
		}
	}
	r.Claims = append(r.Claims, a.Claims...)
	switch {
	case missing != "":
		r.Gaps = append(r.Gaps, Gap{Path: c.Path, Offset: -1, Reason: "the bundler's account does not list " + missing})
		r.Told = false
	case len(r.Spans) == 0 && len(r.Gaps) == 0 && float64(a.Packages+a.Own) >= accounted*float64(size):
		r.Told = true
	}
}

// addSaid claims what packages say about themselves: in the bundle and in the
// licences beside it.
func (r *Result) addSaid(code []byte, e *embedded, licences []Companion) {
	said, manifests := e.claims()
	said = append(said, LegalBlock(code, "")...)
	for _, l := range licences {
		said = append(said, LegalBlock(l.Text, l.Path)...)
		said = append(said, LicenceFile(l.Text, l.Path)...)
	}
	r.Claims = append(r.Claims, said...)
	r.Claims = append(r.Claims, Pinned(r.Claims, manifests)...)
	r.Claims = append(r.Claims, SDKVersions(r.Claims)...)
}

// addAll claims what an account of a bundle names. Of a map that is only what
// bytes were made from. inside is what was published in another package.
func (r *Result) addAll(o *ownership, from string, inside map[int]string) {
	made := make([]bool, len(o.origins))
	for _, s := range o.list {
		if s.who >= 0 {
			made[s.who] = true
		}
	}
	for i, at := range o.origins {
		if o.methods[i] == MethodSourceMap && !made[i] {
			continue
		}
		c := Claim{Name: at.name, Version: at.version, Method: o.methods[i], Path: at.install, Inside: inside[i], Offset: o.first[i], From: from}
		switch c.Method {
		case MethodSourceMap:
			c.Confidence = mapConfidence
		case MethodComment:
			c.Confidence = commentConfidence
		default:
			c.Confidence = keyConfidence
		}
		r.Claims = append(r.Claims, c)
	}
}

// spans takes over whose the bytes are, and says whether that is told of all.
// said is what known packages say about themselves, in order.
func (r *Result) spans(src []byte, o *ownership, said []saying) {
	claims := r.claimsOf(o)
	webpack := o.style == bannerStyle || o.style == tableStyle || o.style == wrapStyle && Detect(src).Bundler == "webpack" // rspack
	unknown, total := int64(0), int64(0)
	for _, s := range o.list {
		who := s.who
		if who >= 0 {
			who = claims[who]
		}
		if code := src[s.start:s.end]; who == SpanOwn && (rewrapped(code) || o.style != noMark && foreign(code, webpack)) {
			who = SpanUnknown
		}
		parts := []Span{{s.start, s.end, who}}
		if who == SpanOwn {
			parts = r.disowned(s, o.cuts, said)
		}
		for _, p := range parts {
			if p.Claim == SpanUnknown {
				unknown += p.End - p.Start
			}
			if p.Claim >= 0 {
				r.Claims[p.Claim].Bytes += p.End - p.Start
			}
		}
		total = s.end
		r.Spans = append(r.Spans, parts...)
	}
	if unknown > 0 {
		r.Gaps = append(r.Gaps, Gap{Offset: -1, Reason: fmt.Sprintf("nothing names what %d of its %d bytes are", unknown, total)})
	}
	r.Told = len(r.Gaps) == 0
}

// claimsOf returns, by index into the origins, which claim is about them.
func (r *Result) claimsOf(o *ownership) []int {
	type place struct {
		name, path string
		how        Method
	}
	at := map[place]int{}
	for i, c := range r.Claims {
		k := place{c.Name, c.Path, c.Method}
		if _, ok := at[k]; !ok {
			at[k] = i
		}
	}
	out := make([]int, len(o.origins))
	for i, from := range o.origins {
		n, ok := at[place{from.name, from.install, o.methods[i]}]
		if !ok {
			n = SpanUnknown
		}
		out[i] = n
	}
	return out
}

// foreign reports whether code that passes for the function's own has the marks
// of a bundler: somebody else's bundle, copied in. What the bundler itself puts
// around the function's modules does not count; webpack also puts whole modules
// into one line.
func foreign(code []byte, webpack bool) bool {
	switch d := Detect(code); d.Bundler {
	case "", "esbuild", "rolldown", "bun":
		return false
	case "webpack", "ncc", "turbopack", "minified":
		return !webpack
	}
	return true
}

// rewrapped reports whether code that passes for the function's own is a bundle
// that was bundled again: it has esbuild's helpers for modules, and those of the
// bundler that wrote the file lie in front of all modules, where no map leads.
func rewrapped(code []byte) bool {
	d := Detect(code)
	return d.Bundler == "esbuild" && strings.HasPrefix(d.Mark, esbuildWrapper)
}
