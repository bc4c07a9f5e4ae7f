package jsbundle

import "testing"

// TestVendorName checks which names and sizes are worth a look.
func TestVendorName(t *testing.T) {
	for _, test := range []struct {
		name string
		size int64
		want bool
	}{
		{"acme/dist/index.js", vendorNamed, true},
		{"acme/dist/index.js", vendorNamed - 1, false},
		{"@acme/sdk/dist/cjs/index.cjs", vendorNamed, true},
		{"@acme/sdk/compiled/ms/index.js", vendorNamed, true},
		{"acme/acme.min.js", vendorNamed, true},
		{"acme/lib/acme.bundle.js", vendorNamed, true},
		{"acme/doc.js", vendorNamed, true},
		{"dist/lib/acme.js", vendorNamed, false}, // a package of that name
		{"@dist/build/lib/acme.js", vendorNamed, false},
		{"acme/distance/a.js", vendorNamed, false},
		{"acme/lib/acme.js", vendorAny - 1, false},
		{"acme/lib/acme.js", vendorAny, true},
		{"@acme/sdk/index.mjs", vendorNamed, true},
		{"acme/lib/index.js", vendorNamed, false},
		{"acme", vendorNamed - 1, false},
		{"@acme", vendorNamed - 1, false},
		{"", vendorNamed - 1, false},
	} {
		if got := VendorName(test.name, test.size); got != test.want {
			t.Errorf("%q of %d bytes: %t, want %t", test.name, test.size, got, test.want)
		}
	}
}
