package registry

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestKeepOut(t *testing.T) {
	for address, ok := range map[string]bool{
		"192.0.2.1:443": true, "[2001:db8::1]:443": true, "127.0.0.1:80": false, "[::1]:80": false, "169.254.169.254:80": false, "10.1.2.3:80": false,
		"172.16.0.1:80": false, "192.168.0.1:80": false, "100.100.100.200:80": false, "[fd00:ec2::254]:80": false, "[::ffff:127.0.0.1]:80": false, "0.0.0.0:80": false, "x": false,
	} {
		if err := keepOut("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestClientFor holds that a name that a registry outside gives does not lead
// into this network, whatever it resolves to.
func TestClientFor(t *testing.T) {
	address, asked := server(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "secret") })
	named := strings.Replace(address, "127.0.0.1", "localhost", 1) // resolves to this machine
	for source, ok := range map[string]bool{"https://192.0.2.1/": false, "http://127.0.0.1:1/": true, "http://localhost:1/": true, "": true} {
		before := asked.Load()
		c := &Client{Dir: t.TempDir(), Online: true, Config: ReadConfig(configured(nil, m{"GOPROXY": address})), pace: pace{attempts: 1}}
		doc, err := c.fetch(t.Context(), Request{URL: named, source: source}, validators{})
		if (err == nil) != ok || !ok && (asked.Load() != before || !strings.Contains(err.Error(), "inside this network")) {
			t.Errorf("%q: %q, %v", source, doc.Body, err)
		}
	}
	req, _ := http.NewRequest(http.MethodGet, "http://localhost/a", nil) // which no proxy is asked for
	c := &Client{}
	for home, away := range map[string]bool{"http://localhost/": false, "https://192.0.2.1/": true, "https://10.0.0.1/": false} {
		u, _ := url.Parse(home)
		if got := c.clientFor(req, u) == c.own.away; got != away {
			t.Errorf("%s: away %v", home, got)
		}
	}
}
