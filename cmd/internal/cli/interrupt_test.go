package cli

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestInterrupted: a command that is stopped says by whom and how it left things.
func TestInterrupted(t *testing.T) {
	for name, c := range map[string]struct {
		cause error
		want  string
	}{
		"signal": {errors.New("terminated signal received"), "fnaudit: db update: interrupted (terminated signal received): the advisory store is as it was\n"},
		"caller": {nil, "fnaudit: db update: interrupted: the advisory store is as it was\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				cancel(c.cause)
				<-r.Context().Done()
			}))
			defer srv.Close()
			var stdout, stderr bytes.Buffer
			env := Env{
				Args:  []string{"db", "update", "--from", srv.URL, "--ecosystem", "npm", "--db", t.TempDir()},
				Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Now: time.Now,
				Getenv: func(string) string { return "" }, CacheDir: func() (string, error) { return t.TempDir(), nil },
			}
			if code := Main(ctx, env); code != ExitUsage || stderr.String() != c.want || stdout.Len() > 0 {
				t.Errorf("%d, %q, %q", code, stdout.String(), stderr.String())
			}
		})
	}
}
