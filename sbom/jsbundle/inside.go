package jsbundle

import (
	"bytes"
	"strings"
)

// published finds the packages that nobody installed: their code lies in the
// published files of another one, whose own map names them. uri-js has punycode
// in it that way, in a folder that no installer makes. It returns the name of
// the package around them by index into the origins. marks is what the bundle's
// own marks name, if it has any: a bundler marks each file that it reads.
func published(src []byte, o, marks *ownership) map[int]string {
	var out map[int]string
	for i, q := range o.origins {
		cut := strings.LastIndex(q.install, "/"+packageFolder)
		if cut < 0 || q.version != "" || !o.typed[q.install[:cut]] {
			continue
		}
		around := q.install[:cut]
		name := packageName(around[max(lastFolder(around), 0):] + "/")
		if name == "" || marks.names(q.name) || len(marks.origins) == 0 && !o.within(src, i, around) {
			continue
		}
		if out == nil {
			out = map[int]string{}
		}
		out[i] = name
	}
	return out
}

// names reports whether a package of this name is among the origins.
func (o *ownership) names(name string) bool {
	for _, from := range o.origins {
		if from.name == name {
			return true
		}
	}
	return false
}

// within reports whether every stretch of an origin lies between two of the
// package at the place around, in one function: a module that was installed has
// the start of a function in front of it.
func (o *ownership) within(src []byte, i int, around string) bool {
	at := func(n int) bool {
		return n >= 0 && n < len(o.list) && o.list[n].who >= 0 && (o.origins[o.list[n].who].install == around || o.list[n].who == i)
	}
	for n, s := range o.list {
		if s.who != i {
			continue
		}
		if !at(n-1) || !at(n+1) || bytes.Contains(src[max(s.start-maxHead, 0):s.start], []byte("=>{")) {
			return false
		}
	}
	return true
}

// maxHead is how many bytes in front of a module its function starts at most.
const maxHead = 32
