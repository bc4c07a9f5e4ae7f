package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fnaudit/fnaudit/bundle/pull"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/night"
	"github.com/fnaudit/fnaudit/cmd/internal/notify"
	"github.com/fnaudit/fnaudit/cmd/internal/report"
)

// secretVariable holds the secret that webhooks are signed with.
const secretVariable = "FNAUDIT_WEBHOOK_SECRET"

// maxAddress bounds a file with an address, or a secret, in bytes.
const maxAddress = 16 << 10

// alertFlags say who is told what changed.
type alertFlags struct {
	webhook, slack string
	secret         string // file
	on             []string
	severity       string
	record         string // file
	dryRun         bool
}

// alertHelp is what the help of a command says of its alerts.
const alertHelp = `
--webhook posts what changed as JSON, signed as Standard Webhooks has it
(webhook-id, webhook-timestamp, webhook-signature: HMAC-SHA256 of
"id.timestamp.body") with the secret in $` + secretVariable + ` or in a file;
--slack writes it to a channel. Both only if something changed that --alert-on
and --alert-severity let through, and each message once for each receiver, as
long as its record is there. An address is a secret: @FILE reads it from a file.
An alert that is lost is said, and the exit code is 2, though everything was
judged and written: a lost alert must not look like a quiet night.`

func alertFlagsOf(cmd *cobra.Command, o *alertFlags) {
	var causes []string
	for _, c := range notify.Causes() {
		causes = append(causes, string(c))
	}
	f := cmd.Flags()
	f.StringVar(&o.webhook, "webhook", "", "`URL|@FILE` to post what changed to, signed")
	f.StringVar(&o.secret, "webhook-secret", "", "`FILE` with the secret that it is signed with (default $"+secretVariable+")")
	f.StringVar(&o.slack, "slack", "", "`URL|@FILE` of a Slack-compatible incoming webhook")
	f.StringSliceVar(&o.on, "alert-on", nil, "tell only changes of these `CAUSES`: "+strings.Join(causes, ", "))
	f.StringVar(&o.severity, "alert-severity", "", "tell only changes of this `SEVERITY` or higher, and those of a verdict: critical, high, medium, low")
	f.StringVar(&o.record, "alert-record", "", "`FILE` that says what was sent (default "+night.AlertsName+" beside the first -o file, else in the folder of --write; with none of these, the same is sent again each time)")
	f.BoolVar(&o.dryRun, "dry-run", false, "print on standard error what would be sent, and send nothing")
}

// alerts reads the flags. What is wrong with them is said before anything is
// judged. What was sent is kept beside the first output to a file, else in set, the
// folder of --write; "" is none.
func (o alertFlags) alerts(env *Env, offline, quiet bool, outputs []output, set string) (notify.Options, error) {
	out := notify.Options{Now: env.Now, Client: pull.Watched(0), Filter: notify.Filter{Severity: finding.Severity(o.severity)}, Record: o.record}
	if o.webhook+o.slack == "" {
		if o.secret+o.severity+o.record != "" || len(o.on) > 0 || o.dryRun {
			return out, usage("--webhook URL, --slack URL", "flags of alerts, and nobody to tell")
		}
		return out, nil
	}
	var err error
	if out.Webhook, err = address("webhook", o.webhook); err != nil {
		return out, err
	}
	if out.Slack, err = address("slack", o.slack); err != nil {
		return out, err
	}
	if out.Webhook != "" {
		if out.Secret, err = o.key(env); err != nil {
			return out, err
		}
	}
	for _, c := range o.on {
		out.Filter.Causes = append(out.Filter.Causes, finding.Cause(strings.TrimSpace(c)))
	}
	if err := out.Check(); err != nil {
		return out, usage("", "alerts: %w", err)
	}
	if offline && !o.dryRun {
		return out, usage("--dry-run prints what would be sent", "alerts need the network, and --offline forbids it")
	}
	if i := slices.IndexFunc(outputs, func(x output) bool { return x.file != "" }); out.Record == "" && i >= 0 {
		out.Record = filepath.Join(filepath.Dir(outputs[i].file), night.AlertsName)
	} else if out.Record == "" && set != "" {
		out.Record = filepath.Join(set, night.AlertsName)
	}
	if out.Record == "" && !o.dryRun && !quiet {
		fmt.Fprintln(env.Stderr, "fnaudit: nothing remembers which alerts were sent: a run after this one sends the same again; --alert-record FILE, --write DIR or -o FORMAT=FILE keeps a record")
	}
	if o.dryRun {
		out.DryRun = env.Stderr // standard output is the report's
	}
	if !quiet {
		out.Notice = func(s string) { fmt.Fprintln(env.Stderr, "fnaudit: "+report.Escape(s)) }
	}
	return out, nil
}

// address reads the address of a receiver, which no error repeats.
func address(flag, value string) (string, error) {
	name, ok := strings.CutPrefix(value, "@")
	if !ok {
		return value, nil
	}
	text, err := readSmall(name, maxAddress)
	if err != nil {
		return "", usage("", "read the address of --%s: %w", flag, err)
	}
	if s := strings.TrimSpace(string(text)); s != "" {
		return s, nil
	}
	return "", usage("", "read the address of --%s: %s is empty", flag, name)
}

// key reads the secret of the webhook: never from a flag, which others on the
// machine can read.
func (o alertFlags) key(env *Env) ([]byte, error) {
	text, from := env.Getenv(secretVariable), "$"+secretVariable
	if o.secret != "" {
		b, err := readSmall(o.secret, maxAddress)
		if err != nil {
			return nil, usage("", "read the secret of the webhook: %w", err)
		}
		text, from = string(b), o.secret
	}
	if text == "" {
		return nil, usage("--webhook-secret FILE, or $"+secretVariable, "a webhook needs a secret to sign with, or its receiver can believe nothing")
	}
	key, err := notify.ParseSecret(text)
	if err != nil {
		return nil, usage("openssl rand -base64 32", "read the secret of the webhook in %s: %w", from, err)
	}
	return key, nil
}

// alert tells what changed. Everything was judged and written by then.
func alert(ctx context.Context, o notify.Options, doc *finding.Document) error {
	if o.Webhook+o.Slack == "" {
		return nil
	}
	err := notify.Send(ctx, o, doc)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, notify.ErrUnsent):
		return &exit{code: ExitUsage, err: err, hint: "everything was judged, and the outputs are written; the same command tells again whoever was not told"}
	}
	return &exit{code: ExitUsage, err: fmt.Errorf("alerts: %w", err)}
}
