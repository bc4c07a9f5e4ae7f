package pull

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/fnaudit/fnaudit/bundle"
)

// refers pushes a manifest that refers to another one.
func refers(t *testing.T, r *Repository, to Descriptor, content string) Descriptor {
	t.Helper()
	b := []byte(content)
	empty := Descriptor{MediaType: "application/vnd.oci.empty.v1+json", Digest: put(t, r, []byte("{}")), Size: 2}
	return pushManifest(t, r, "x", mediaManifest, "", map[string]any{"schemaVersion": 2, "mediaType": mediaManifest, "artifactType": "sig", "config": empty,
		"layers": []Descriptor{{MediaType: "sig", Digest: put(t, r, b), Size: int64(len(b))}}, "subject": to})
}

// TestAttachments finds signatures in registries that list referrers, and in such
// that do not, where clients keep the list under a tag.
func TestAttachments(t *testing.T) {
	ctx := context.Background()
	for _, lists := range []bool{true, false} {
		t.Run(map[bool]string{true: "referrers", false: "tags"}[lists], func(t *testing.T) {
			s := newServer(t)
			s.reg = registry.New(registry.WithReferrersSupport(lists))
			r := s.repo(t, quick())
			amd, arm := pushImage(t, r, "amd", "amd64", []byte("a")), pushImage(t, r, "arm", "arm64", []byte("b"))
			index := pushManifest(t, r, "v1", mediaIndex, "", document{SchemaVersion: 2, MediaType: mediaIndex, Manifests: []Descriptor{amd, arm}})
			one, two, other := refers(t, r, amd, "1"), refers(t, r, index, "2"), refers(t, r, arm, "3")
			if !lists {
				for to, from := range map[string]Descriptor{amd.Digest: one, index.Digest: two, arm.Digest: other} {
					from.ArtifactType = "sig"
					pushManifest(t, r, strings.Replace(to, ":", "-", 1), mediaIndex, "", document{SchemaVersion: 2, MediaType: mediaIndex, Manifests: []Descriptor{from}})
				}
			}
			sig := pushImage(t, r, strings.Replace(amd.Digest, ":", "-", 1)+".sig", "sig", []byte("sig"))
			att := pushImage(t, r, strings.Replace(index.Digest, ":", "-", 1)+".att", "att", []byte("att"))

			m, err := r.Image(ctx, "")
			if err != nil || string(m.Digest) != amd.Digest || len(m.Indexes) != 1 || string(m.Indexes[0].Digest) != index.Digest ||
				m.Indexes[0].Size != index.Size || m.Indexes[0].MediaType != mediaIndex || m.MediaType != mediaManifest || digestOf(m.Body) != amd.Digest {
				t.Fatalf("%+v, %v", m, err)
			}
			list, err := r.Attachments(ctx, []bundle.Digest{m.Digest, m.Indexes[0].Digest})
			if err != nil {
				t.Fatal(err)
			}
			want := []string{one.Digest, two.Digest, sig.Digest, att.Digest}
			slices.Sort(want)
			var got []string
			for _, a := range list {
				if got = append(got, string(a.Digest)); a.Err != nil || digestOf(a.Manifest) != string(a.Digest) {
					t.Errorf("%s: %v", a.Digest, a.Err)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
			content := bundle.Digest(digestOf([]byte("1")))
			if b, err := r.Content(ctx, content, 1); err != nil || string(b) != "1" {
				t.Errorf("%q, %v", b, err)
			}
			for _, size := range []int64{0, 2, maxContent + 1} {
				if b, err := r.Content(ctx, content, size); err == nil {
					t.Errorf("size %d: %q", size, b)
				}
			}

			// By digest: another platform of the index, the index itself, and what it does not name.
			if m, err := r.Image(ctx, arm.Digest); err != nil || string(m.Digest) != arm.Digest || len(m.Indexes) != 1 {
				t.Errorf("%+v, %v", m, err)
			}
			if m, err := r.Image(ctx, index.Digest); err != nil || m.MediaType != mediaIndex || len(m.Indexes) != 0 {
				t.Errorf("%+v, %v", m, err)
			}
			if m, err := r.Image(ctx, sig.Digest); err != nil || len(m.Indexes) != 0 {
				t.Errorf("%+v, %v", m, err)
			}
			ref, err := quick().ParseReference(s.host() + "/team/app@" + index.Digest)
			if err != nil {
				t.Fatal(err)
			}
			pinned, err := quick().Repository(ref)
			if err != nil {
				t.Fatal(err)
			}
			if m, err := pinned.Image(ctx, ""); err != nil || string(m.Digest) != index.Digest {
				t.Errorf("%+v, %v", m, err)
			}
			if m, err := pinned.Image(ctx, amd.Digest); err != nil || string(m.Digest) != amd.Digest || len(m.Indexes) != 1 {
				t.Errorf("%+v, %v", m, err)
			}
			if m, err := pinned.Image(ctx, sig.Digest); err == nil {
				t.Errorf("%+v", m)
			}
		})
	}
}

// TestAttachmentsRefused demands that a registry that cannot be asked, or hands out
// other bytes, is not one in which nothing is signed.
func TestAttachmentsRefused(t *testing.T) {
	ctx := context.Background()
	s := newServer(t)
	s.reg = registry.New(registry.WithReferrersSupport(true))
	r := s.repo(t, quick())
	image := pushImage(t, r, "v1", "amd64", []byte("a"))
	ref := refers(t, r, image, "1")
	digests := []bundle.Digest{bundle.Digest(image.Digest)}
	if list, err := r.Attachments(ctx, digests); err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	lie := func(part string, status int, body string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lie = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, part) {
				return false
			}
			w.Header().Set("Content-Type", mediaManifest)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	for _, part := range []string{"/referrers/", "/manifests/sha256-"} {
		lie(part, http.StatusForbidden, "no")
		if list, err := r.Attachments(ctx, digests); err == nil {
			t.Errorf("%s: %v", part, list)
		}
	}
	for body, status := range map[string]int{"{}": http.StatusOK, "gone": http.StatusNotFound} {
		lie("/manifests/"+ref.Digest, status, body)
		if list, err := r.Attachments(ctx, digests); err != nil || len(list) != 1 || list[0].Err == nil || list[0].Manifest != nil {
			t.Errorf("%s: %+v, %v", body, list, err)
		}
	}
	lie("/blobs/", http.StatusOK, "2")
	if b, err := r.Content(ctx, bundle.Digest(digestOf([]byte("1"))), 1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%q, %v", b, err)
	}
}
