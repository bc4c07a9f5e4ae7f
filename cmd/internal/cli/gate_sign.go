package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle/attest"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
)

// signFlags say who signs, and who is asked for that.
type signFlags struct {
	key        string
	keyless    bool
	fulcio     string
	rekor      string
	timestamps []string
	root       string
}

// The variables with the password of an encrypted key. The second is cosign's.
const (
	passwordVariable       = "FNAUDIT_KEY_PASSWORD"
	cosignPasswordVariable = "COSIGN_PASSWORD"
)

// The variables of a CI job with its identity: a token, or where GitHub Actions
// gives one out.
const (
	tokenVariable         = "SIGSTORE_ID_TOKEN"
	actionsURLVariable    = "ACTIONS_ID_TOKEN_REQUEST_URL"
	actionsSecretVariable = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

// envPrefix marks a key that stands in the environment, as for cosign.
const envPrefix = "env://"

func signFlagsOf(cmd *cobra.Command, s *signFlags) {
	f := cmd.Flags()
	f.StringVar(&s.key, "key", "", "private key `FILE` in PEM (P-256 or Ed25519; encrypted as cosign does: password in $"+passwordVariable+"), or env://NAME")
	f.BoolVar(&s.keyless, "keyless", false, "sign as the CI job, with a certificate for its identity token (--fulcio-url, and --rekor-url or --timestamp-url)")
	f.StringVar(&s.fulcio, "fulcio-url", "", "`URL` of the certificate authority, for --keyless")
	f.StringVar(&s.rekor, "rekor-url", "", "`URL` of a transparency log that the signatures are entered into")
	f.StringArrayVar(&s.timestamps, "timestamp-url", nil, "`URL` of a timestamp authority that vouches for the time, repeatable")
	f.StringVar(&s.root, "trusted-root", "", "Sigstore trusted_root.json `FILE` to check the answers of these services with (default: the embedded public-good root)")
}

// named fills in from the policy, which is this file, what no flag says.
func (s *signFlags) named(g policy.Gate, file string) {
	if s.key == "" && !s.keyless {
		switch {
		case g.Key == policy.Keyless:
			s.keyless = true
		case g.Key == "" || strings.HasPrefix(g.Key, envPrefix) || filepath.IsAbs(g.Key):
			s.key = g.Key
		default:
			s.key = filepath.Join(filepath.Dir(file), g.Key)
		}
	}
	if s.fulcio == "" && s.keyless {
		s.fulcio = g.Fulcio
	}
	if s.rekor == "" {
		s.rekor = g.Rekor
	}
	if len(s.timestamps) == 0 {
		s.timestamps = g.Timestamps
	}
}

// services are what the flags name, without the token.
func (s *signFlags) services(offline bool) (attest.Services, error) {
	out := attest.Services{Fulcio: s.fulcio, Rekor: s.rekor, Timestamps: s.timestamps}
	if s.fulcio == "" && s.rekor == "" && len(s.timestamps) == 0 {
		return out, nil
	}
	if offline {
		return out, usage("sign with --key and without these services", "signing asks services over the network, and --offline forbids that")
	}
	var err error
	if s.root == "" {
		out.Root, err = attest.EmbeddedRoot("public-good")
		return out, err
	}
	data, err := readSmall(s.root, maxEvidence)
	if err != nil {
		return out, usage("", "read trust root: %w", err)
	}
	if out.Root, err = attest.ParseRoot(s.root, data); err != nil {
		return out, usage("", "--trusted-root: %w", err)
	}
	return out, nil
}

// local makes the signer of a key; nil for a run without one.
func (s *signFlags) local(env *Env, offline bool) (*attest.Signer, error) {
	switch {
	case s.key != "" && s.keyless:
		return nil, usage("", "--key and --keyless contradict each other")
	case s.key == "" && !s.keyless:
		return nil, usage("openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out gate.pem, or sign in CI with --keyless", "gate: nobody to sign: name a private key with --key")
	}
	services, err := s.services(offline)
	if err != nil {
		return nil, err
	}
	if s.keyless {
		services.Token = "later"
		if _, err := attest.NewKeyless(services); err != nil {
			return nil, usage("--keyless --fulcio-url URL --rekor-url URL", "%w", err)
		}
		if env.Getenv(tokenVariable) == "" && (env.Getenv(actionsURLVariable) == "" || env.Getenv(actionsSecretVariable) == "") {
			return nil, usage("in GitHub Actions give the job the permission id-token: write; elsewhere set $"+tokenVariable, "--keyless: this job has no identity token")
		}
		return nil, nil
	}
	text, source, err := s.pem(env)
	if err != nil {
		return nil, err
	}
	password := func() ([]byte, error) {
		if p := env.Getenv(passwordVariable); p != "" {
			return []byte(p), nil
		}
		return []byte(env.Getenv(cosignPasswordVariable)), nil
	}
	signer, err := attest.NewSigner(source, text, password, services)
	if err != nil {
		return nil, usage("a private key in PEM; the password of an encrypted one stands in $"+passwordVariable, "--key %w", err)
	}
	return signer, nil
}

func (s *signFlags) pem(env *Env) (text []byte, source string, err error) {
	if name, ok := strings.CutPrefix(s.key, envPrefix); ok {
		value := env.Getenv(name)
		if value == "" {
			return nil, "", usage("", "--key %s: the variable is not set", s.key)
		}
		return []byte(value), s.key, nil
	}
	if text, err = readSmall(s.key, maxKey); err != nil {
		if os.IsNotExist(err) {
			return nil, "", usage("", "--key %s: no such file", s.key)
		}
		return nil, "", usage("", "read the private key: %w", err)
	}
	return text, s.key, nil
}

// withToken makes the signer of a run without a key. The token is fetched now:
// it is valid for minutes.
func (s *signFlags) withToken(ctx context.Context, env *Env) (*attest.Signer, error) {
	services, err := s.services(false)
	if err != nil {
		return nil, err
	}
	if services.Token = env.Getenv(tokenVariable); services.Token == "" {
		if services.Token, err = attest.ActionsToken(ctx, env.Getenv(actionsURLVariable), env.Getenv(actionsSecretVariable)); err != nil {
			return nil, usage("", "--keyless: %w", err)
		}
	}
	signer, err := attest.NewKeyless(services)
	if err != nil {
		return nil, fmt.Errorf("--keyless: %w", err)
	}
	return signer, nil
}
