package jsbundle

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed products.txt
var productsText string

// product is what a product's name in a comment stands for on npm.
type product struct {
	name string
	must string // the comment is about it only when it holds this
	not  string // and not when it holds this; "" for neither
}

// products is keyed by the name in lower case.
var products = sync.OnceValue(func() map[string][]product {
	all := map[string][]product{}
	for line := range strings.SplitSeq(productsText, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		parts := strings.Split(line, " | ")
		p := product{name: parts[1]}
		for _, condition := range parts[2:] {
			if condition[0] == '+' {
				p.must = condition[1:]
			} else {
				p.not = condition[1:]
			}
		}
		all[parts[0]] = append(all[parts[0]], p)
	}
	return all
})

// productNamed returns the package of a product in a comment, "" when it is none.
func productNamed(product, comment string) string {
	for _, p := range products()[strings.ToLower(strings.TrimRight(product, " :-,."))] {
		if strings.Contains(comment, p.must) && (p.not == "" || !strings.Contains(comment, p.not)) {
			return p.name
		}
	}
	return ""
}

// reactFiles maps the names of React's built files to their packages; the
// version in such a comment is the package's own.
func reactFiles() map[string]string {
	return map[string]string{
		"react": "react", "react-jsx-runtime": "react", "react-jsx-dev-runtime": "react",
		"react-dom": "react-dom", "react-dom-client": "react-dom", "react-dom-server": "react-dom", "react-dom-server-legacy": "react-dom", "react-dom-test-utils": "react-dom",
		"react-is": "react-is", "scheduler": "scheduler", "scheduler-tracing": "scheduler", "react-reconciler": "react-reconciler",
		"react-test-renderer": "react-test-renderer", "use-sync-external-store-shim": "use-sync-external-store", "use-subscription": "use-subscription",
	}
}

// mathias maps the short addresses of Mathias Bynens' projects to packages.
// Those that others copy into their own files (base64, punycode, utf8) are not in it.
func mathias() map[string]string {
	return map[string]string{
		"cssesc": "cssesc", "he": "he", "jsesc": "jsesc", "luamin": "luamin", "platform": "platform",
		"quoted-printable": "quoted-printable", "regenerate": "regenerate", "windows-1252": "windows-1252",
	}
}
