package jsbundle

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestFinderHoldsAllTexts(t *testing.T) {
	s := newSearch()
	if n := len(s.texts); n > 64 {
		t.Fatalf("%d texts do not fit the set", n)
	}
	for n, text := range s.texts {
		if len(text) <= blockBytes {
			t.Fatalf("%q is shorter than a block", text)
		}
		for _, src := range []string{text, "x" + text, text + "x", strings.Repeat("ab", 99) + text, text[1:] + text, strings.Repeat(text[:len(text)-1], 3) + text} {
			if !s.find([]byte(src)).has(n) {
				t.Errorf("%q not found in %q", text, src)
			}
		}
		if s.find([]byte(text[:len(text)-1])).has(n) {
			t.Errorf("%q found in less than itself", text)
		}
	}
}

// TestFinderAgreesWithContains compares one pass for all texts with one search
// for each, over texts cut up and put together again.
func TestFinderAgreesWithContains(t *testing.T) {
	s := newSearch()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var src []byte
		for range rnd.IntN(12) {
			text := s.texts[rnd.IntN(len(s.texts))]
			from := rnd.IntN(len(text))
			src = append(src, text[from:from+rnd.IntN(len(text)-from+1)]...)
			if rnd.IntN(2) == 0 {
				src = append(src, text...)
			}
			if rnd.IntN(3) == 0 {
				src = src[:len(src)-min(len(src), rnd.IntN(4))]
			}
		}
		compareFinder(t, s, src)
	}
}

func compareFinder(t *testing.T, s *search, src []byte) {
	t.Helper()
	seen := s.find(src)
	for n, text := range s.texts {
		if want := bytes.Contains(src, []byte(text)); seen.has(n) != want {
			t.Fatalf("%q in %q: got %v, want %v", text, src, seen.has(n), want)
		}
	}
}

func FuzzFinder(f *testing.F) {
	f.Add([]byte("$parcel$parcelRequire__webpack_require____nccwpck_require__"))
	f.Fuzz(func(t *testing.T, src []byte) { compareFinder(t, newSearch(), src) })
}
