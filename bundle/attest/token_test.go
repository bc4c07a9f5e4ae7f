package attest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestActionsToken(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer secret":
			http.Error(w, "who are you", http.StatusUnauthorized)
		case r.URL.Path == "/away":
			http.Redirect(w, r, "/token", http.StatusFound)
		case r.URL.Path == "/empty":
			w.Write([]byte(`{"value":""}`))
		case r.URL.Path == "/text":
			w.Write([]byte("hello"))
		case r.URL.Query().Get("audience") != "sigstore" || r.URL.Query().Get("api-version") != "2.0":
			http.Error(w, "for whom", http.StatusBadRequest)
		default:
			w.Write([]byte(`{"count":1,"value":"a.b.c"}`))
		}
	}))
	defer s.Close()
	token, err := ActionsToken(t.Context(), s.URL+"/token?api-version=2.0", "secret")
	if err != nil || token != "a.b.c" {
		t.Errorf("%q, %v", token, err)
	}
	for address, want := range map[string]string{
		s.URL + "/token":       "400",
		s.URL + "/away":        "302",
		s.URL + "/empty":       "no token",
		s.URL + "/text":        "no token",
		"http://ci.example/t":  "plain HTTP",
		"::":                   "no address",
		"":                     "no address",
		"http://127.0.0.1:1/t": "refused",
	} {
		if token, err := ActionsToken(t.Context(), address, "secret"); err == nil || token != "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret=") {
			t.Errorf("%s: %q, %v, want %q", address, token, err, want)
		}
	}
	if _, err := ActionsToken(t.Context(), s.URL+"/token?api-version=2.0", "guess"); err == nil || strings.Contains(err.Error(), "guess") {
		t.Errorf("%v", err)
	}
}
