package pull

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Error says what the server said, in the words that help most.
func (e *StatusError) Error() string {
	msg := fmt.Sprintf("%s: %d %s", e.URL, e.Code, http.StatusText(e.Code))
	if e.Detail != "" {
		msg += " (" + e.Detail + ")"
	}
	if e.After > maxRetryAfter {
		msg += fmt.Sprintf("; the server asks to wait %v", e.After)
	}
	return msg
}

// Is makes a 404 a file that does not exist.
func (e *StatusError) Is(target error) bool {
	return target == fs.ErrNotExist && e.Code == http.StatusNotFound
}

// detail returns the first message of a registry's error document
// (distribution specification, "Error Codes").
func detail(b []byte) string {
	var doc struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(b, &doc) != nil || len(doc.Errors) == 0 {
		return ""
	}
	e := doc.Errors[0]
	return clip(strings.TrimPrefix(e.Code+": "+e.Message, ": "), 200)
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// own turns an error of a request, or of go-containerregistry's handshake, into ours.
func own(err error) error {
	var t *transport.Error
	if !errors.As(err, &t) {
		return plainly(err)
	}
	e := &StatusError{Code: t.StatusCode}
	if t.Request != nil {
		u := *t.Request.URL
		u.RawQuery, u.User, u.Fragment = "", nil, ""
		e.URL = u.String()
	}
	if len(t.Errors) > 0 {
		e.Detail = clip(t.Errors[0].Message, 200)
	}
	return e
}

// plainly takes the query off the address in an error: where blobs are stored
// elsewhere, it holds what gives access to them.
func plainly(err error) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	address := "the server"
	if parsed, bad := url.Parse(u.URL); bad == nil {
		parsed.RawQuery, parsed.User, parsed.Fragment = "", nil, ""
		address = parsed.String()
	}
	return fmt.Errorf("%s: %w", address, u.Err)
}

// Denied reports whether a server wants other credentials, or any.
func Denied(err error) bool {
	var e *StatusError
	return errors.As(err, &e) && (e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden)
}
