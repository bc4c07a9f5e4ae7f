package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

// streamDocuments are sets in which the order of functions, their names and what
// they hold are not what is easy.
func streamDocuments() map[string]codec.Document {
	docs := documents()
	bare := codec.Function{}
	named := sample("function") // as one without a name is called
	other := sample("orders")
	other.SBOM.Subject = bundle.Digest("sha256:" + strings.Repeat("d", 64))
	docs["unsorted"] = document(sample("zeta"), sample("orders"), other, sample("alpha"), bare, sample("orders"), named, bare)
	docs["bare"] = document(bare, bare)
	docs["names"] = document(sample("f1/function"), sample("f2"), sample("run"), sample("\n  \"packages\": []"), sample("a\x00b\xff"), sample(""))
	cut := sample("orders") // a digest that goes on where a name ends
	cut.Name, cut.SBOM.Subject = "a", "bc"
	cut2 := sample("orders")
	cut2.Name, cut2.SBOM.Subject = "ab", "c"
	docs["cut"] = document(cut, cut2)
	hostile := evil()
	docs["evil"] = document(append(slices.Clone(hostile.Functions), sample("b"), sample("a"))...)
	quiet := sample("quiet")
	quiet.Vulnerabilities = nil
	quiet.SBOM = &sbom.SBOM{}
	docs["quiet"] = document(quiet, bare)
	return docs
}

func streamed(t *testing.T, format string, doc codec.Document, file io.ReadWriteSeeker) ([]byte, error) {
	t.Helper()
	s, err := codec.NewStream(format, file)
	if err != nil {
		t.Fatal(err)
	}
	run := doc
	run.Functions = nil
	for _, f := range doc.Functions {
		p, err := s.Make(&bytes.Buffer{}, run, f)
		if err == nil {
			err = s.Add(p)
		}
		if err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	err = s.Close(&b, run)
	return b.Bytes(), err
}

// TestStreamIsWhole: a function at a time gives the bytes that all at once give.
func TestStreamIsWhole(t *testing.T) {
	for format, name := range map[string]string{codec.FormatCycloneDX: "cyclonedx", codec.FormatSPDX: "spdx"} {
		for what, doc := range streamDocuments() {
			t.Run(name+" "+what, func(t *testing.T) {
				file, err := os.Create(filepath.Join(t.TempDir(), "kept"))
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				got, err := streamed(t, format, doc, file)
				if err != nil {
					t.Fatal(err)
				}
				if want := encode(t, name, doc); !bytes.Equal(got, want) {
					i := 0
					for i < min(len(got), len(want)) && got[i] == want[i] {
						i++
					}
					t.Errorf("at byte %d of %d and %d: %.200q, want %.200q", i, len(got), len(want), got[max(i-40, 0):], want[max(i-40, 0):])
				}
			})
		}
	}
}

// TestStreamSPDXIDs: no two elements have one identifier, and each has the
// characters that SPDX allows, also where functions are the same.
func TestStreamSPDXIDs(t *testing.T) {
	for what, doc := range streamDocuments() {
		var out struct {
			Packages []struct{ SPDXID string }
		}
		if err := json.Unmarshal(encode(t, "spdx", doc), &out); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, p := range out.Packages {
			if seen[p.SPDXID] || strings.ContainsFunc(p.SPDXID, func(c rune) bool {
				return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.'
			}) {
				t.Errorf("%s: %q is there twice, or is no identifier", what, p.SPDXID)
			}
			seen[p.SPDXID] = true
		}
	}
}

// streamFull is a file on a disk that has no more room.
type streamFull struct{ *strings.Reader }

var errStreamFull = errors.New("no space left on device")

func (streamFull) Write([]byte) (int, error) { return 0, errStreamFull }

func TestStreamOnFullDisk(t *testing.T) {
	doc := streamDocuments()["unsorted"]
	for _, format := range []string{codec.FormatCycloneDX, codec.FormatSPDX} {
		if got, err := streamed(t, format, doc, streamFull{strings.NewReader("")}); !errors.Is(err, errStreamFull) || len(got) > 0 {
			t.Errorf("%s: %v, and %d bytes", format, err, len(got))
		}
	}
	if _, err := codec.NewStream(codec.FormatSyft, nil); err == nil {
		t.Error("a format that is not written was streamed")
	}
}
