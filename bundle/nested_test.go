package bundle

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestOpenZip(t *testing.T) {
	inner := string(plain("x/A.class", strings.Repeat("class", 2000)))
	for _, store := range []bool{false, true} {
		v := mustOpen(t, zipOf{entries: []ent{{name: "a.jar", body: inner, store: store}, {name: "bad.jar", body: "no zip"}}}.bytes())
		c, err := v.Tree().Content("a.jar")
		if err != nil {
			t.Fatal(err)
		}
		n, err := OpenZip(context.Background(), c, int64(len(inner)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := n.Tree().ReadFile("x/A.class"); len(b) != 10000 || err != nil {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		if n.Artifact.Kind != KindZip || n.Artifact.Digest != "" {
			t.Errorf("%+v", n.Artifact)
		}
		bad, _ := v.Tree().Content("bad.jar")
		if _, err := OpenZip(context.Background(), bad, 6, Limits{}); !errors.Is(err, ErrUnreadable) {
			t.Errorf("error %v", err)
		}
		if _, err := OpenZip(context.Background(), c, int64(len(inner)), Limits{MaxArtifactBytes: 5}); !errors.Is(err, ErrUnreadable) {
			t.Errorf("error %v", err)
		}
	}
}
