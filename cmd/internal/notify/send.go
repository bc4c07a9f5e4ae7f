package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Options say who is told what. The zero value tells nobody.
type Options struct {
	Webhook string // address; "": none
	Secret  []byte // of ParseSecret; a webhook needs one
	Slack   string // address of an incoming webhook of Slack's, or of what reads its messages; "": none
	Filter  Filter
	Record  string    // file that says what was sent, and that is kept; "": everything is sent
	DryRun  io.Writer // not nil: what would be sent is written there, without secrets, and nothing is sent

	Client   *http.Client     // nil: http.DefaultClient; redirects are not followed in any case
	Now      func() time.Time // nil: time.Now
	Attempts int              // to deliver one message; 0: 4
	Backoff  time.Duration    // pause after the first failed one, doubled each time; 0: 1 second
	Timeout  time.Duration    // of one attempt; 0: 15 seconds
	Notice   func(string)     // told what is tried again and what was sent; may be nil
}

// ErrUnsent is wrapped by the error of Send for each receiver that could not be
// told.
var ErrUnsent = errors.New("the alert is lost")

// Check says what is wrong with the options, before a run. An error is one of
// usage, and repeats neither address nor secret.
func (o Options) Check() error {
	for _, a := range []struct{ kind, address string }{{"webhook", o.Webhook}, {"slack", o.Slack}} {
		if a.address == "" {
			continue
		}
		if _, err := parseAddress(a.address); err != nil {
			return fmt.Errorf("the address of --%s: %w", a.kind, err)
		}
	}
	if o.Webhook != "" && len(o.Secret) == 0 {
		return errors.New("a webhook needs a secret to sign with, or its receiver can believe nothing")
	}
	for _, c := range o.Filter.Causes {
		if !slices.Contains(Causes(), c) {
			return fmt.Errorf("%q is no cause", c)
		}
	}
	switch o.Filter.Severity {
	case "", finding.Critical, finding.High, finding.Medium, finding.Low:
		return nil
	}
	return fmt.Errorf("%q is no severity", o.Filter.Severity)
}

// Causes are all causes of a change, in the order in which a person reads them.
func Causes() []finding.Cause {
	return []finding.Cause{
		finding.CauseNewAdvisory, finding.CauseChangedAdvisory, finding.CauseWithdrawnAdvisory, finding.CauseArtifact, finding.CauseDeployed, finding.CausePolicy,
		finding.CauseRuntime, finding.CauseWaiver, finding.CauseTime, finding.CauseFixed, finding.CauseNew, finding.CauseGone, finding.CauseProgram,
	}
}

// Send tells each receiver what changed, if anything did. One that fails keeps
// no other from being told; the errors wrap ErrUnsent. What a receiver took and
// the record holds is not sent to it again.
func Send(ctx context.Context, o Options, doc *finding.Document) error {
	if err := o.Check(); err != nil {
		return err
	}
	o = o.defaults()
	m, err := newMessage(doc, o.Filter)
	if err != nil {
		return err
	}
	if m == nil {
		if o.DryRun != nil && o.Webhook+o.Slack != "" {
			_, err = fmt.Fprintln(o.DryRun, "nothing changed that is to be told: nothing would be sent")
		}
		return err
	}
	list, err := o.receivers(m)
	if err != nil {
		return err
	}
	rec, err := readRecord(o.Record)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	var errs []error
	for _, r := range list {
		switch {
		case rec.has(m.id, r):
			o.Notice(fmt.Sprintf("%s: %s was told before (%s)", r.kind, r.place(), m.id))
		case o.DryRun != nil:
			errs = append(errs, r.show(o.DryRun, o.Now()))
		default:
			if err := o.deliver(ctx, r); err != nil {
				errs = append(errs, fmt.Errorf("%w: %s: %w", ErrUnsent, r.kind, err))
				continue
			}
			o.Notice(fmt.Sprintf("%s: told %s of %s", r.kind, r.place(), finding.Count(len(m.changes), "change", "changes")))
			errs = append(errs, rec.add(m.id, r, o.Now()))
		}
	}
	return errors.Join(errs...)
}

func (o Options) defaults() Options {
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	o.Attempts = cmp.Or(o.Attempts, 4)
	o.Backoff = cmp.Or(o.Backoff, time.Second)
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	return o
}

// receivers puts the message into the form of each receiver.
func (o Options) receivers(m *message) ([]receiver, error) {
	var list []receiver
	if o.Webhook != "" {
		u, err := parseAddress(o.Webhook)
		if err != nil {
			return nil, err
		}
		body, err := m.body()
		if err != nil {
			return nil, err
		}
		list = append(list, receiver{"webhook", u, body, func(at time.Time) http.Header {
			h := header()
			h.Set("Webhook-Id", m.id)
			h.Set("Idempotency-Key", m.id)
			h.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
			h.Set(signatureHeader, sign(o.Secret, m.id, at, body))
			return h
		}})
	}
	if o.Slack != "" {
		u, err := parseAddress(o.Slack)
		if err != nil {
			return nil, err
		}
		body, err := m.slack()
		if err != nil {
			return nil, err
		}
		list = append(list, receiver{"slack", u, body, func(time.Time) http.Header { return header() }})
	}
	return list, nil
}

const signatureHeader = "Webhook-Signature"

func header() http.Header {
	return http.Header{"Content-Type": {"application/json"}, "User-Agent": {"fnaudit"}}
}

// show writes what would be sent. The signature is left out: whoever reads a
// log could send it.
func (r receiver) show(w io.Writer, at time.Time) error {
	h := r.head(at)
	if h.Get(signatureHeader) != "" {
		h.Set(signatureHeader, "v1,(HMAC-SHA256 of id, timestamp and body)")
	}
	if _, err := fmt.Fprintf(w, "POST %s (%s)\n", r.place(), r.kind); err != nil {
		return err
	}
	for _, name := range []string{"Content-Type", "Idempotency-Key", "User-Agent", "Webhook-Id", signatureHeader, "Webhook-Timestamp"} {
		if v := h.Get(name); v != "" {
			if _, err := fmt.Fprintf(w, "%s: %s\n", name, v); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.body)
	return err
}
