package registry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
)

// A registry on the internet must not make this machine ask what only this
// machine can reach. What its documents and redirects name is looked at before
// (mayFollow); here it is held that no name leads there either, whatever it
// resolves to at that moment.

// insideIP says whether an address is of this machine or its own network.
func insideIP(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || carrier().Contains(ip)
}

// carrier are the addresses behind a provider's translation (RFC 6598); clouds
// have services of their own there.
func carrier() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10) }

// keepOut refuses a connection into this network.
func keepOut(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || insideIP(to.Addr()) {
		return fmt.Errorf("refuse to connect to %s, an address inside this network, for a registry outside of it", address)
	}
	return nil
}

// home is the registry on whose word an address is asked.
func (r Request) home(first *url.URL) *url.URL {
	if u, err := url.Parse(r.source); err == nil && u.Host != "" {
		return u
	}
	return first
}

// clientFor returns what a request is made with. A registry that is inside this
// network itself may send to other hosts inside; a proxy connects for us, and
// is inside mostly.
func (c *Client) clientFor(req *http.Request, home *url.URL) *http.Client {
	one := c.client()
	if req.URL.Hostname() == home.Hostname() {
		return one
	}
	if proxy, err := http.ProxyFromEnvironment(req); err != nil || proxy != nil {
		return one
	}
	if inside(home) || resolvesInside(req.Context(), home.Hostname()) {
		return one
	}
	return c.own.away
}

// resolvesInside says whether a name is of a host inside this network; one that
// is not known is not.
func resolvesInside(ctx context.Context, name string) bool {
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return false
	}
	for _, ip := range all {
		if insideIP(ip) {
			return true
		}
	}
	return false
}
