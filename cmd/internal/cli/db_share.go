package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle/pull"
	"github.com/fnaudit/fnaudit/cmd/internal/audit"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/share"
)

// keyVariable names the file with the public key that every store that is
// taken over must be signed with.
const keyVariable = "FNAUDIT_DB_KEY"

// maxExport bounds in bytes the export that is fetched from a mirror.
const maxExport = 16 << 30

// maxKey bounds a key file in bytes.
const maxKey = 64 << 10

// adoptFlags say how a store that was built elsewhere is taken over.
type adoptFlags struct {
	ecosystems []string
	replace    bool
	allowOlder bool
	key        string
	quiet      bool
	noProgress bool
}

func adoptFlagsOf(cmd *cobra.Command, o *adoptFlags) {
	f := cmd.Flags()
	f.StringArrayVar(&o.ecosystems, "ecosystem", nil, "take only OSV `NAME` such as npm, repeatable (default all that there are)")
	f.BoolVar(&o.replace, "replace", false, "drop everything else: ecosystems that are not taken, sources laid over those that are")
	f.BoolVar(&o.allowOlder, "allow-older", false, "take also what is older than what the store holds")
	f.StringVar(&o.key, "key", "", "PEM `FILE` with the public key that has to have signed it (default $"+keyVariable+")")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing on success")
	f.BoolVar(&o.noProgress, "no-progress", false, "no progress line on a terminal")
}

// verifier reads the public key of the flag or the environment; nil: there is none.
func verifier(env *Env, flag string) (*share.Verifier, error) {
	name := flag
	if name == "" {
		name = env.Getenv(keyVariable)
	}
	if name == "" {
		return nil, nil
	}
	text, err := readSmall(name, maxKey)
	if err != nil {
		return nil, usage("", "read the public key: %w", err)
	}
	v, err := share.ParseVerifier(text)
	if err != nil {
		return nil, usage("openssl pkey -in KEY.pem -pubout -out KEY.pub", "%s: %w", name, err)
	}
	return v, nil
}

// signer reads a private key; nil: no file was named.
func signer(name string) (*share.Signer, error) {
	if name == "" {
		return nil, nil
	}
	text, err := readSmall(name, maxKey)
	if err != nil {
		return nil, usage("", "read the private key: %w", err)
	}
	s, err := share.ParseSigner(text)
	if err != nil {
		return nil, usage("openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out KEY.pem", "%s: %w", name, err)
	}
	return s, nil
}

// readSmall reads a file of at most limit bytes.
func readSmall(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s has over %d bytes", name, limit)
	}
	return b, err
}

type exportOptions struct {
	out        string
	ecosystems []string
	signKey    string
	quiet      bool
}

func dbExportCommand(env *Env, dir *string) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export -o FILE",
		Short: "Write the store as one file, for machines without a network",
		Long: `Export writes the store, or some of its ecosystems, as one tar file that
"fnaudit db import" reads. The same store gives the same bytes. With --sign-key
a detached signature is written beside it as FILE.sig, which "db import --key"
and "cosign verify-blob --key" verify. Without it a FILE.sig of before is removed. Keys are PEM files: ECDSA, or Ed25519.
Encrypted keys are not read; "cosign sign-blob" can sign the file instead.`,
		Example: `  fnaudit db export -o fnaudit-db.tar
  fnaudit db export -o npm.tar --ecosystem npm --sign-key company.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return dbExport(cmd.Context(), env, *dir, o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "`FILE` to write, - for standard output")
	f.StringArrayVar(&o.ecosystems, "ecosystem", nil, "only OSV `NAME` such as npm, repeatable (default all)")
	f.StringVar(&o.signKey, "sign-key", "", "PEM `FILE` with the private key to sign with")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing on success")
	return cmd
}

func dbExport(ctx context.Context, env *Env, flag string, o exportOptions) error {
	switch {
	case o.out == "":
		return usage("fnaudit db export -o fnaudit-db.tar", "db export: name the file to write")
	case o.out == "-" && o.signKey != "":
		return usage("write it to a file", "db export: there is no place for a signature beside standard output")
	case o.out == "-" && env.StdoutTerminal:
		return usage("fnaudit db export -o fnaudit-db.tar", "db export: a store is nothing to look at on a terminal")
	}
	key, err := signer(o.signKey)
	if err != nil {
		return err
	}
	dir, err := storeDir(env, flag)
	if err != nil {
		return err
	}
	var snap vulndb.Snapshot
	sum := sha256.New()
	produce := func(w io.Writer) (err error) {
		snap, err = vulndb.Export(ctx, dir, o.ecosystems, io.MultiWriter(w, sum))
		return err
	}
	say, news := env.Stdout, ""
	if o.out == "-" {
		say = env.Stderr
		err = (output{format: "the store"}).write(env, produce)
	} else {
		news, err = o.write(key, produce, sum)
	}
	if err != nil {
		return err
	}
	if !o.quiet {
		fmt.Fprintf(say, "%s: %s of %s, snapshot %s\n%s%s\n", report.Escape(o.out), finding.Count(snap.Records(), "record", "records"), strings.Join(snap.Ecosystems(), ", "), short(snap.ID), digestOf(sum), report.Escape(news))
	}
	return nil
}

func digestOf(sum hash.Hash) string { return "sha256:" + hex.EncodeToString(sum.Sum(nil)) }

// write replaces the file and its signature. The old signature goes first and
// the new one comes last, so that at no moment one lies beside a file that it is
// not over. news is what became of it.
func (o exportOptions) write(key *share.Signer, produce func(io.Writer) error, sum hash.Hash) (news string, err error) {
	failed := func(err error) error {
		return &exit{code: ExitUsage, err: fmt.Errorf("export the advisory store: %w", err)}
	}
	file, err := stage(o.out, produce)
	if err != nil {
		return "", failed(err)
	}
	defer file.drop()
	var sig []byte
	if key != nil {
		if sig, err = signExport(key, file.path(), digestOf(sum)); err != nil {
			return "", &exit{code: ExitUsage, err: fmt.Errorf("sign %s: %w", o.out, err)}
		}
	}
	name := o.out + share.SignatureSuffix
	for _, suffix := range []string{share.SignatureSuffix, share.BundleSuffix} {
		if file.temp == "" {
			break
		}
		switch err := os.Remove(o.out + suffix); {
		case err == nil && (key == nil || suffix != share.SignatureSuffix):
			news += ", its old signature " + o.out + suffix + " is removed"
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", failed(fmt.Errorf("remove the signature of what is replaced: %w", err))
		}
	}
	if err := file.place(); err != nil {
		return "", failed(err)
	}
	if key == nil {
		return news, nil
	}
	if err := writeFile(name, func(w io.Writer) error { _, err := w.Write(sig); return err }); err != nil {
		return "", &exit{code: ExitUsage, err: fmt.Errorf("sign %s: %w", o.out, err), hint: "the file is written, and not signed"}
	}
	return news + ", signature in " + name, nil
}

// signExport signs what was written: the file must still have the digest of
// what was meant to be in it.
func signExport(key *share.Signer, name, digest string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sig, err := share.SignFile(key, f)
	if err != nil {
		return nil, err
	}
	got, err := share.VerifyFile(key.Verifier(), f, sig)
	if err != nil {
		return nil, err
	}
	if got != digest {
		return nil, fmt.Errorf("it is no longer what was written: its digest is %s", got)
	}
	return sig, nil
}

type importOptions struct {
	adoptFlags
	signature string
}

func dbImportCommand(env *Env, dir *string) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take over a store that was exported elsewhere",
		Long: `Import reads what "fnaudit db export" wrote. Each ecosystem in it takes the place
of what the store has of that from an export. Ecosystems that are not in it stay
as they are, and sources of your own (db update --source) stay laid over it; what
stays is printed. --replace drops both. With --key, or
$` + keyVariable + `, the signature in FILE.sig, or in the bundle FILE.sigstore.json
that "cosign sign-blob --key --bundle" writes, is verified first. What is older
than what the store holds is refused, and so is everything that is not exactly
an export. A killed import leaves the old store.`,
		Example: `  fnaudit db import fnaudit-db.tar --key company.pub
  fnaudit db import - <fnaudit-db.tar`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return dbImport(cmd.Context(), env, *dir, o, args[0]) },
	}
	adoptFlagsOf(cmd, &o.adoptFlags)
	cmd.Flags().StringVar(&o.signature, "signature", "", "`FILE` with the detached signature, bare or a Sigstore bundle (default the file's name with "+share.SignatureSuffix+" or "+share.BundleSuffix+")")
	return cmd
}

func dbImport(ctx context.Context, env *Env, flag string, o importOptions, name string) error {
	v, err := verifier(env, o.key)
	if err != nil {
		return err
	}
	dir, err := storeDir(env, flag)
	if err != nil {
		return err
	}
	if v == nil && o.signature != "" {
		return usage("--key FILE names the public key", "db import: a signature without a key proves nothing")
	}
	if name == "-" {
		if v != nil {
			return usage("write it to a file first", "db import: what comes from standard input cannot be read twice, to verify and to import")
		}
		_, err := adoptExport(ctx, env, dir, o.adoptFlags, "standard input", env.Stdin, "", "")
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return usage("", "import the advisory store: %w", err)
	}
	defer f.Close()
	sigName := o.signature
	if sigName == "" {
		sigName = signatureOf(name)
	}
	digest := ""
	if v != nil {
		sig, err := readSmall(sigName, share.MaxSignature)
		if err != nil {
			return usage("fnaudit db export --sign-key writes it", "import %s: it is not signed: %w", name, err)
		}
		if digest, err = share.VerifyFile(v, f, sig); err != nil {
			return usage("", "import %s: %w", name, err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return usage("", "import %s: %w", name, err)
		}
	} else if _, err := os.Stat(sigName); err == nil && !o.quiet {
		fmt.Fprintf(env.Stderr, "fnaudit: %s was not verified: name the public key with --key\n", report.Escape(sigName))
	}
	_, err = adoptExport(ctx, env, dir, o.adoptFlags, name, f, digest, "")
	return err
}

// signatureOf returns the name of the detached signature that lies beside a file:
// our own, or the bundle that cosign writes.
func signatureOf(name string) string {
	if _, err := os.Stat(name + share.SignatureSuffix); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(name + share.BundleSuffix); err == nil {
			return name + share.BundleSuffix
		}
	}
	return name + share.SignatureSuffix
}

// adoptExport imports an export and says what the store knows then. digest is
// that of the verified file, or empty.
func adoptExport(ctx context.Context, env *Env, dir string, o adoptFlags, name string, r io.Reader, digest, via string) (vulndb.Snapshot, error) {
	bar := newProgress(env, o.quiet || o.noProgress)
	a := o.adoption(env, dir, bar)
	a.options.Trusted, a.options.Via = digest != "", via
	snap, err := vulndb.ImportFrom(ctx, dir, r, digest, a.options)
	bar.Done()
	if err != nil {
		return snap, adoptError(fmt.Errorf("import %s: %w", name, err))
	}
	a.done(env, dir, snap, "")
	return snap, nil
}

// adoption is one store that is taken over.
type adoption struct {
	adoptFlags
	start   time.Time
	before  vulndb.Snapshot
	taken   *[]string // ecosystems, as they come
	options vulndb.AdoptOptions
}

func (o adoptFlags) adoption(env *Env, dir string, bar *progress) adoption {
	a := adoption{adoptFlags: o, start: env.Now(), taken: new([]string)}
	a.before, _ = vulndb.ReadSnapshot(dir) // without one nothing stays
	a.options = vulndb.AdoptOptions{
		Ecosystems: o.ecosystems, Replace: o.replace, AllowOlder: o.allowOlder, Now: env.Now(),
		Progress: func(p vulndb.Progress) {
			if p.Stage == vulndb.Done || p.Stage == vulndb.Unchanged {
				*a.taken = append(*a.taken, p.Ecosystem)
			}
			bar.Say("%s", report.Escape(p.String()))
		},
	}
	return a
}

// done says what the store knows now, and what of it did not come with what was
// taken over: nobody should think that the two are the same if they are not.
func (a adoption) done(env *Env, dir string, now vulndb.Snapshot, news string) {
	if a.quiet {
		return
	}
	a.adoptFlags.done(env, dir, now, a.start, news)
	fmt.Fprintln(env.Stdout, "  "+report.Feeds(audit.Feeds(now)))
	var kept, over, gone []string
	for _, src := range now.Sources {
		if !slices.Contains(*a.taken, src.Ecosystem) {
			kept = append(kept, fmt.Sprintf("%s (as of %s)", src.Ecosystem, src.AsOf.UTC().Format(time.DateOnly)))
			continue
		}
		for _, p := range src.Parts {
			if p.Origin() != vulndb.DefaultOrigin {
				over = append(over, fmt.Sprintf("%s (%s, %s)", p.Origin(), src.Ecosystem, finding.Count(p.Records, "record", "records")))
			}
		}
	}
	for _, src := range a.before.Sources {
		after, there := now.Source(src.Ecosystem)
		for _, p := range src.Origins() {
			if !there || p.Origin() != vulndb.DefaultOrigin && !slices.ContainsFunc(after.Origins(), func(q vulndb.Source) bool { return q.Origin() == p.Origin() }) {
				gone = append(gone, fmt.Sprintf("%s (%s)", src.Ecosystem, p.Origin()))
			}
		}
	}
	for _, line := range []struct {
		what string
		list []string
	}{{"kept as before", kept}, {"laid over it as before", over}, {"dropped", gone}} {
		if len(line.list) > 0 {
			fmt.Fprintf(env.Stdout, "  %s: %s\n", line.what, report.Escape(strings.Join(line.list, ", ")))
		}
	}
}

// adoptError adds what helps.
func adoptError(err error) error {
	hint := "the store holds what it held before"
	switch {
	case errors.Is(err, vulndb.ErrOlder):
		hint = "the store is unchanged; --allow-older goes back, if that is meant"
	case errors.Is(err, share.ErrUnsigned):
		hint = "the store is unchanged; --key FILE or $" + keyVariable + " names the public key, @sha256:... pins what is trusted, and --insecure-skip-signature trusts the network"
	case errors.Is(err, vulndb.ErrFormat):
		hint = "the store is unchanged; both sides need versions of fnaudit that write the same format"
	case pull.Denied(err):
		hint = loginHint
	}
	return &exit{code: ExitUsage, err: err, hint: hint}
}

// done says what the store knows now; news is what is to be said besides, if anything.
func (o adoptFlags) done(env *Env, dir string, snap vulndb.Snapshot, start time.Time, news string) {
	if !o.quiet {
		fmt.Fprintf(env.Stdout, "advisory store %s: %s of %s, snapshot %s%s, %.1f s\n", report.Escape(dir), finding.Count(snap.Records(), "record", "records"), finding.Count(len(snap.Sources), "ecosystem", "ecosystems"), short(snap.ID), news, env.Now().Sub(start).Seconds())
	}
}

// spool fetches a file into the store's folder, where the next update removes
// it if this one is killed. The caller closes it and removes it.
func spool(dir string) (*os.File, error) {
	eco := filepath.Join(dir, "eco")
	if err := os.MkdirAll(eco, 0o755); err != nil {
		return nil, err
	}
	return os.CreateTemp(eco, "pull-*.tmp")
}
