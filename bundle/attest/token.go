package attest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// tokenAudience is whom the tokens are for that Fulcio takes
// (github.com/sigstore/fulcio, docs/oidc.md).
const tokenAudience = "sigstore"

// maxToken bounds in bytes the answer of a token service.
const maxToken = 64 << 10

// ActionsToken asks GitHub Actions for the identity token of the running job,
// at the address and with the secret that the job has in
// ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN. The secret goes
// to that address only: never over plain HTTP to another machine, never along a redirect.
func ActionsToken(ctx context.Context, address, secret string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", errors.New("get the identity token: this is no address of a token service")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("get the identity token: refuse to send a secret over plain HTTP to %s", u.Host)
	}
	q := u.Query()
	q.Set("audience", tokenAudience)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", errors.New("get the identity token: this is no address of a token service")
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.Set("Accept", "application/json")
	client := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) { // its address may hold what is secret
			err = ue.Err
		}
		return "", fmt.Errorf("get the identity token from %s: %w", u.Host, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("get the identity token from %s: %s", u.Host, resp.Status)
	}
	var answer struct {
		Value string `json:"value"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxToken)).Decode(&answer); err != nil || strings.Count(answer.Value, ".") != 2 {
		return "", fmt.Errorf("get the identity token from %s: the answer holds no token", u.Host)
	}
	return answer.Value, nil
}
