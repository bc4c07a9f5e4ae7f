package cli

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/cmd/internal/policy"
)

// oldFunction is what a baseline needs of a function in an earlier report.
type oldFunction struct {
	Name     string            `json:"name"`
	Findings []finding.Finding `json:"findings"`
}

// oldReport is an earlier report as JSON, or one line of it as jsonl.
type oldReport struct {
	SchemaVersion string         `json:"schemaVersion"`
	JudgedAt      time.Time      `json:"judgedAt"`
	Functions     []*oldFunction `json:"functions"`
	oldFunction
}

// baselineHint says what a baseline is.
const baselineHint = "a baseline is what \"fnaudit scan -o json=FILE\" or -o jsonl=FILE writes"

// readBaselines reads the files of --baseline; nil when there is none. What was
// read is remembered by digest, since it is part of what judges.
func (o *scanOptions) readBaselines() (*policy.Baseline, error) {
	if len(o.baselines) == 0 {
		return nil, nil
	}
	b := &policy.Baseline{}
	for _, name := range o.baselines {
		digest, err := readBaseline(b, name)
		if err != nil {
			return nil, err
		}
		o.based = append(o.based, digest)
	}
	return b, nil
}

func readBaseline(b *policy.Baseline, name string) (digest string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", usage("", "read baseline: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	limited := &io.LimitedReader{R: f, N: maxInput + 1}
	dec := json.NewDecoder(bufio.NewReader(io.TeeReader(limited, sum)))
	n := 0
	for ; ; n++ {
		var r oldReport
		if err = dec.Decode(&r); err != nil {
			break
		}
		if r.SchemaVersion != finding.SchemaVersion {
			return "", usage(baselineHint, "read baseline %s: schemaVersion is %q, this program knows %q", name, r.SchemaVersion, finding.SchemaVersion)
		}
		if r.Functions == nil && r.Name != "" {
			r.Functions = []*oldFunction{&r.oldFunction}
		}
		for i, fn := range r.Functions {
			if fn == nil {
				return "", usage("", "read baseline %s: function %d is null", name, i)
			}
			b.Add(fn.Name, fn.Findings, r.JudgedAt)
		}
	}
	switch {
	case limited.N == 0:
		return "", usage("", "read baseline %s: over the limit of %d bytes", name, maxInput)
	case !errors.Is(err, io.EOF):
		return "", usage(baselineHint, "read baseline %s: %w", name, err)
	case n == 0:
		return "", usage(baselineHint, "read baseline %s: the file is empty", name)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}
