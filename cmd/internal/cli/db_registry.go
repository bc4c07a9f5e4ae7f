package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle/pull"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/share"
)

// mirrorVariable lists registries to ask before the ones that references name.
// It is the user's or the operator's: nothing of the kind is read from a file
// that could lie beside what is audited.
const mirrorVariable = "FNAUDIT_REGISTRY_MIRRORS"

// registryClient makes the client for registries and mirrors.
func registryClient(env *Env, insecureHTTP, quiet bool, bar *progress) (*pull.Client, error) {
	mirrors, err := pull.ParseMirrors(env.Getenv(mirrorVariable))
	if err != nil {
		return nil, usage("", "$%s: %w", mirrorVariable, err)
	}
	return &pull.Client{
		InsecureHTTP: insecureHTTP, Mirrors: mirrors, Now: env.Now, Notice: noticer(env, bar, quiet),
		Progress: func(p pull.Progress) {
			if p.Total > 0 {
				bar.Say("%s: %.1f of %.1f MB", report.Escape(p.What), float64(p.Done)/1e6, float64(p.Total)/1e6)
			} else {
				bar.Say("%s: %.1f MB", report.Escape(p.What), float64(p.Done)/1e6)
			}
		},
	}, nil
}

// repository prepares to talk to the registry of a reference.
func repository(env *Env, ref string, insecureHTTP, quiet bool, bar *progress) (*pull.Repository, error) {
	c, err := registryClient(env, insecureHTTP, quiet, bar)
	if err != nil {
		return nil, err
	}
	parsed, err := c.ParseReference(strings.TrimPrefix(ref, "oci://"))
	if err != nil {
		return nil, usage("REGISTRY/NAME:TAG, as in registry.example/fnaudit/db:latest", "%w", err)
	}
	repo, err := c.Repository(parsed)
	if err != nil {
		return nil, usage("", "%w", err)
	}
	return repo, nil
}

func forbidOffline(cmd *cobra.Command) error {
	offline, err := cmd.Flags().GetBool("offline")
	if err != nil {
		return err
	}
	if offline {
		return usage("db export and db import work without one", "%s uses the network, and --offline forbids it", strings.TrimPrefix(cmd.CommandPath(), "fnaudit "))
	}
	return nil
}

type pushOptions struct {
	ecosystems   []string
	signKey      string
	insecureHTTP bool
	quiet        bool
	noProgress   bool
}

func dbPushCommand(env *Env, dir *string) *cobra.Command {
	var o pushOptions
	cmd := &cobra.Command{
		Use:   "push REF",
		Short: "Put the store into a registry, for all builds of a company",
		Long: `Push writes the store, or some of its ecosystems, to a registry as an OCI
artifact: one layer for each ecosystem. What the registry has is not uploaded
again, and the same store is the same artifact. With --sign-key it is signed as
"cosign sign --key" does, so that "db pull --key" and "cosign verify --key
--insecure-ignore-tlog" verify it. Credentials are those of the docker
configuration, with its helpers.`,
		Example: `  fnaudit db push registry.example/fnaudit/db:latest --sign-key company.pem`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := forbidOffline(cmd); err != nil {
				return err
			}
			return dbPush(cmd.Context(), env, *dir, o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.ecosystems, "ecosystem", nil, "only OSV `NAME` such as npm, repeatable (default all)")
	f.StringVar(&o.signKey, "sign-key", "", "PEM `FILE` with the private key to sign with (ECDSA or Ed25519, not encrypted)")
	f.BoolVar(&o.insecureHTTP, "insecure-http", false, "speak plain HTTP where https does not work, and not only to this machine")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing on success")
	f.BoolVar(&o.noProgress, "no-progress", false, "no progress line on a terminal")
	return cmd
}

func dbPush(ctx context.Context, env *Env, flag string, o pushOptions, ref string) error {
	key, err := signer(o.signKey)
	if err != nil {
		return err
	}
	dir, err := storeDir(env, flag)
	if err != nil {
		return err
	}
	bar := newProgress(env, o.quiet || o.noProgress)
	repo, err := repository(env, ref, o.insecureHTTP, o.quiet, bar)
	if err != nil {
		return err
	}
	if repo.Reference.Digest() != "" {
		return usage("name a tag", "push %s: the digest follows from the store", ref)
	}
	p, err := share.Push(ctx, dir, repo, share.PushOptions{
		Tag: repo.Reference.Tag(), Repository: repo.Reference.Repository(), Ecosystems: o.ecosystems, Created: created(env), Signer: key,
	})
	bar.Done()
	if err != nil {
		hint := ""
		if pull.Denied(err) {
			hint = loginHint
		}
		return &exit{code: ExitUsage, err: fmt.Errorf("push to %s: %w", ref, err), hint: hint}
	}
	if !o.quiet {
		signed := "not signed"
		if p.Signed {
			signed = "signed"
		}
		fmt.Fprintf(env.Stdout, "%s@%s\n%s of %s, snapshot %s, %d of %s uploaded, %s\n", repo.Reference.Repository(), p.Digest,
			finding.Count(p.Snapshot.Records(), "record", "records"), strings.Join(p.Snapshot.Ecosystems(), ", "), short(p.Snapshot.ID), p.Uploaded, finding.Count(len(p.Snapshot.Sources), "layer", "layers"), signed)
	}
	return nil
}

type pullOptions struct {
	adoptFlags
	insecureHTTP  bool
	skipSignature bool
}

func dbPullCommand(env *Env, dir *string) *cobra.Command {
	var o pullOptions
	cmd := &cobra.Command{
		Use:   "pull REF|URL",
		Short: "Take over a store from a registry, or from a plain HTTPS mirror",
		Long: `Pull takes over what "fnaudit db push" wrote to a registry, or the file that
"fnaudit db export" wrote and an HTTPS server offers with its signature beside
it as URL.sig, or as the Sigstore bundle URL.sigstore.json. Only the layers that the store does not have are fetched.

What is pulled has to be signed: --key FILE, or $` + keyVariable + `, names the
public key. Without one, the reference or URL has to be pinned to a digest
(REF@sha256:...), or --insecure-skip-signature be given. What is older than what
the store holds is refused. Ecosystems that are not pulled stay, and sources of
your own (db update --source) stay laid over what is; --replace drops both. A
killed pull leaves the old store.`,
		Example: `  fnaudit db pull registry.example/fnaudit/db:latest --key company.pub
  fnaudit db pull registry.example/fnaudit/db@sha256:... --ecosystem npm
  fnaudit db pull https://mirror.example/fnaudit-db.tar --key company.pub`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := forbidOffline(cmd); err != nil {
				return err
			}
			return dbPull(cmd.Context(), env, *dir, o, args[0])
		},
	}
	adoptFlagsOf(cmd, &o.adoptFlags)
	f := cmd.Flags()
	f.BoolVar(&o.skipSignature, "insecure-skip-signature", false, "believe whatever the registry or the server answers")
	f.BoolVar(&o.insecureHTTP, "insecure-http", false, "speak plain HTTP where https does not work, and not only to this machine")
	return cmd
}

func dbPull(ctx context.Context, env *Env, flag string, o pullOptions, ref string) error {
	v, err := verifier(env, o.key)
	if err != nil {
		return err
	}
	dir, err := storeDir(env, flag)
	if err != nil {
		return err
	}
	if strings.HasPrefix(ref, "https://") || strings.HasPrefix(ref, "http://") {
		return pullFile(ctx, env, dir, o, v, ref)
	}
	bar := newProgress(env, o.quiet || o.noProgress)
	defer bar.Done()
	repo, err := repository(env, ref, o.insecureHTTP, o.quiet, bar)
	if err != nil {
		return err
	}
	if v == nil && repo.Reference.Digest() == "" && !o.skipSignature { // before anybody is asked
		return adoptError(fmt.Errorf("pull %s: %w: no key is given, and the reference is not pinned to a digest", ref, share.ErrUnsigned))
	}
	a := o.adoption(env, dir, bar)
	a.options.Via = ref
	p, err := share.Pull(ctx, dir, repo, share.PullOptions{
		ID: repo.Reference.Identifier(), Verifier: v, InsecureSkipSignature: o.skipSignature, Adopt: a.options,
	})
	bar.Done()
	if err != nil {
		return adoptError(fmt.Errorf("pull %s: %w", ref, err))
	}
	if !o.quiet {
		fmt.Fprintf(env.Stdout, "%s@%s\n", repo.Reference.Repository(), p.Digest)
	}
	news := ""
	if p.Fetched == 0 {
		news = ", nothing to fetch"
	}
	a.done(env, dir, p.Snapshot, news)
	return nil
}

// pullFile pulls an export from a plain server: the file, and its signature
// beside it.
func pullFile(ctx context.Context, env *Env, dir string, o pullOptions, v *share.Verifier, address string) error {
	pinned := ""
	if at := strings.LastIndex(address, "@sha256:"); at > 0 {
		address, pinned = address[:at], address[at+1:]
	}
	u, err := url.Parse(address)
	if err != nil {
		return usage("", "pull: this is no address of a file")
	}
	via := *u
	via.User = nil // what is stored is read by others
	fetched := address
	address = u.Redacted()
	if v == nil && pinned == "" && !o.skipSignature {
		return adoptError(fmt.Errorf("pull %s: %w: no key is given, and the address is not pinned to a digest", address, share.ErrUnsigned))
	}
	bar := newProgress(env, o.quiet || o.noProgress)
	defer bar.Done()
	c, err := registryClient(env, o.insecureHTTP, o.quiet, bar)
	if err != nil {
		return err
	}
	receipt := share.Receipt{URL: via.String(), Key: v.KeyID(), Ecosystems: slices.Sorted(slices.Values(o.ecosystems)), Replace: o.replace}
	last := share.ReadReceipt(dir, receipt)
	if pinned != "" && last.Digest == pinned {
		return o.unchanged(env, dir) // it is there, and nobody need be asked
	}
	f, err := spool(dir)
	if err != nil {
		return usage("", "pull %s: %w", address, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	// The signature first: without one there is nothing to fetch.
	var sig []byte
	if v != nil {
		if sig, err = fetchSignature(ctx, c, dir, fetched); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("%w: %w", share.ErrUnsigned, err)
			}
			return adoptError(fmt.Errorf("pull %s: get its signature: %w", address, err))
		}
	}
	var have pull.Validators
	if pinned == "" {
		have = pull.Validators{ETag: last.ETag, LastModified: last.LastModified}
	}
	now, err := c.File(ctx, fetched, maxExport, f, have)
	bar.Done()
	if errors.Is(err, pull.ErrUnchanged) {
		return o.unchanged(env, dir)
	}
	if err != nil {
		return adoptError(fmt.Errorf("pull %s: %w", address, err))
	}
	if receipt.Digest, err = vouched(v, f, sig, pinned); err != nil {
		return adoptError(fmt.Errorf("pull %s: %w", address, err))
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return usage("", "pull %s: %w", address, err)
	}
	snap, err := adoptExport(ctx, env, dir, o.adoptFlags, address, f, receipt.Digest, via.String())
	if err != nil {
		return err
	}
	receipt.ETag, receipt.LastModified, receipt.Snapshot = now.ETag, now.LastModified, snap.ID
	_ = receipt.Write(dir) // without it the next pull fetches everything, which is right as well
	return nil
}

// unchanged says that the last pull brought what there is now.
func (o adoptFlags) unchanged(env *Env, dir string) error {
	snap, err := vulndb.ReadSnapshot(dir)
	if err != nil {
		return usage("", "%w", err)
	}
	o.done(env, dir, snap, env.Now(), ", unchanged since the last pull")
	return nil
}

// vouched returns the digest of a file that a key or a pin vouches for; "" if
// there is neither.
func vouched(v *share.Verifier, f *os.File, sig []byte, pinned string) (digest string, err error) {
	if v != nil {
		if digest, err = share.VerifyFile(v, f, sig); err != nil {
			return "", fmt.Errorf("%w: %w", share.ErrUnsigned, err)
		}
	}
	if pinned != "" {
		if digest, err = share.FileDigest(f); err != nil {
			return "", err
		}
		if digest != pinned {
			return "", fmt.Errorf("its digest is %s", digest)
		}
	}
	return digest, nil
}

// fetchSignature gets the signature beside a file: our own, or where there is
// none the bundle that cosign writes.
func fetchSignature(ctx context.Context, c *pull.Client, dir, address string) ([]byte, error) {
	sig, err := fetchSmall(ctx, c, dir, address+share.SignatureSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		if bundle, other := fetchSmall(ctx, c, dir, address+share.BundleSuffix); !errors.Is(other, fs.ErrNotExist) {
			return bundle, other
		}
	}
	return sig, err
}

func fetchSmall(ctx context.Context, c *pull.Client, dir, address string) ([]byte, error) {
	f, err := spool(dir)
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := c.File(ctx, address, share.MaxSignature, f, pull.Validators{}); err != nil {
		return nil, err
	}
	return readSmall(f.Name(), share.MaxSignature)
}
