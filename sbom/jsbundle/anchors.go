package jsbundle

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// anchors finds out fast whether a file may have the texts of one of the rules
// for literals: it looks for a part of one text of each rule. The search is that
// of finder; with this many texts its table must be larger to skip as much.
type anchors struct {
	shift [1 << anchorBits]uint8
	ends  [1 << anchorBits]uint16 // 1 + the first of list with this block at its end, 0 for none
	list  []anchor
}

const anchorBits = 14 // 16 KiB of shifts

// anchor is what is looked for of one rule.
type anchor struct {
	part string // anchorBytes long
	rule int
	next uint16 // 1 + the next of the list with the same end, 0 for none
}

// anchorHash is blockAt for the larger table.
func anchorHash(src []byte, i int) uint32 {
	b := binary.LittleEndian.Uint32(src[i-3:i+1]) >> 8
	return b * 0x9e3779b1 >> (32 - anchorBits)
}

// newAnchors prepares the search for rules.
func newAnchors(t *literalTable) *anchors {
	a := &anchors{}
	for i := range a.shift {
		a.shift[i] = anchorBytes - blockBytes + 1
	}
	for n := range t.rules {
		best := ""
		for _, i := range t.rules[n].all {
			for from := 0; from+anchorBytes <= len(t.texts[i]); from++ {
				if part := t.texts[i][from : from+anchorBytes]; best == "" || rarity(part) > rarity(best) {
					best = part
				}
			}
		}
		if best == "" {
			continue
		}
		end := []byte(" " + best) // a block is read with the byte before it
		for i := blockBytes; i <= anchorBytes; i++ {
			h := anchorHash(end, i)
			a.shift[h] = min(a.shift[h], uint8(anchorBytes-i))
		}
		h := anchorHash(end, anchorBytes)
		a.list = append(a.list, anchor{best, n, a.ends[h]})
		a.ends[h] = uint16(len(a.list))
	}
	return a
}

// rarity is higher for parts that fewer files have: words of English and of
// JavaScript are made of few letters.
func rarity(part string) int {
	n := 0
	for i := range len(part) {
		switch c := part[i]; {
		case strings.IndexByte("etaoinsrhlduc ", c) >= 0:
		case 'a' <= c && c <= 'z':
			n += 2
		default:
			n += 3
		}
	}
	return n
}

// maxGuesses is how many rules of one file are looked at closely. A file with
// more is a bundle, or made for it, and is read as one.
const maxGuesses = 32

// mentions returns the rules whose texts src may have, in code or not, in the
// order of the table; rules for the packages in done do not count. As finder
// does, it goes through two halves of the file in turn.
func (t *literalTable) mentions(src []byte, done map[string]bool) []int {
	a, m := t.anchors, mention{table: t, src: src, done: done}
	i, middle := anchorBytes-1, len(src)/2
	j := max(middle, i)
	for i < middle && j < len(src) {
		h, k := anchorHash(src, i), anchorHash(src, j)
		x, y := a.shift[h], a.shift[k]
		if x == 0 {
			m.at(i, h)
			x = 1
		}
		if y == 0 {
			m.at(j, k)
			y = 1
		}
		i += int(x)
		j += int(y)
	}
	m.rest(i, middle)
	m.rest(j, len(src))
	slices.Sort(m.found)
	return m.found
}

// mention is the state of one search.
type mention struct {
	table  *literalTable
	src    []byte
	done   map[string]bool
	looked []int // rules that were looked at
	found  []int // of those, the ones that may hold
}

func (m *mention) rest(i, end int) {
	for i < end {
		h := anchorHash(m.src, i)
		step := int(m.table.anchors.shift[h])
		if step == 0 {
			m.at(i, h)
			step = 1
		}
		i += step
	}
}

// at looks at the rules whose anchor may end at i.
func (m *mention) at(i int, h uint32) {
	a := m.table.anchors
	for n := a.ends[h]; n > 0; n = a.list[n-1].next {
		f := &a.list[n-1]
		rule := &m.table.rules[f.rule]
		if !bytes.HasSuffix(m.src[:i+1], []byte(f.part)) || m.done[rule.name] || slices.Contains(m.looked, f.rule) {
			continue
		}
		if len(m.looked) == maxGuesses {
			if len(m.found) < maxGuesses {
				m.found = append(m.found, f.rule)
			}
			continue
		}
		m.looked = append(m.looked, f.rule)
		if !slices.ContainsFunc(rule.all, func(n int) bool { return !bytes.Contains(m.src, []byte(m.table.texts[n])) }) {
			m.found = append(m.found, f.rule)
		}
	}
}
