package cli

import (
	"context"
	"path/filepath"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
)

// trustOf reads the files that a policy names as trusted, and says where
// evidence is looked for: beside the artifact, and in the folder of --attestations.
func trustOf(ctx context.Context, pol *policy.Policy, attestations string) (*audit.Trust, error) {
	t, err := audit.LoadTrust(pol.Trust, filepath.Dir(pol.Name), func(name string) ([]byte, error) { return readSmall(name, maxEvidence) })
	if err != nil {
		return nil, usage("", "policy %s: %w", pol.Name, err)
	}
	var folder *attest.Folder
	if attestations != "" {
		if folder, err = attest.OpenFolder(ctx, attestations); err != nil {
			return nil, usage("", "--attestations: %w", err)
		}
	}
	t.Evidence = func(_ context.Context, ref string, s *attest.Subject) ([]attest.Evidence, error) {
		return evidenceFor(ref, s, folder)
	}
	return t, nil
}

// evidenceFor finds what speaks for an artifact on disk.
func evidenceFor(ref string, s *attest.Subject, folder *attest.Folder) ([]attest.Evidence, error) {
	var out []attest.Evidence
	prefix, path, _ := bundle.SplitRef(ref)
	if path != "-" && prefix != "image" {
		beside, err := attest.Beside(path, s)
		if err != nil {
			return nil, err
		}
		out = append(out, beside...)
	}
	if folder != nil {
		listed, err := folder.About(s)
		if err != nil {
			return nil, err
		}
		out = append(out, listed...)
	}
	return out, nil
}
