package jsbundle

import "testing"

func TestSDKVersion(t *testing.T) {
	for _, tt := range []struct {
		base   string
		client sdkRelease
		want   string
	}{
		{"middleware-retry", sdkRelease{218, 0}, "3.215.0"},
		{"is-array-buffer", sdkRelease{218, 0}, "3.201.0"},
		{"config-resolver", sdkRelease{47, 1}, "3.47.1"},
		{"config-resolver", sdkRelease{48, 0}, "3.47.2"},
		{"config-resolver", sdkRelease{36, 0}, "3.36.0"},
		{"config-resolver", sdkRelease{362, 0}, "3.357.0"},
		{"config-resolver", sdkRelease{600, 0}, ""}, // @smithy's by then
		{"middleware-logger", sdkRelease{600, 0}, "3.598.0"},
		{"middleware-logger", sdkRelease{975, 0}, ""},
		{"lib-dynamodb", sdkRelease{218, 0}, ""},
	} {
		if got := sdkVersion(tt.base, tt.client); got != tt.want {
			t.Errorf("%s of %v: got %q, want %q", tt.base, tt.client, got, tt.want)
		}
	}
	for base, runs := range awsVersions() {
		last := sdkRelease{-1, 0}
		for _, run := range runs {
			if !last.before(run.first) || run.last < run.first.minor || run.last >= sdkRanges || run.last > run.first.minor && run.first.patch != 0 {
				t.Errorf("%s: %v after %v", base, run, last)
			}
			last = run.first
			if run.last > run.first.minor {
				last = sdkRelease{minor: run.last}
			}
		}
	}
}

func TestSDKVersions(t *testing.T) {
	retry := Claim{Name: "@aws-sdk/middleware-retry", Confidence: 0.97, Path: "node_modules/@aws-sdk/middleware-retry"}
	client := func(name, version string) Claim {
		return Claim{Name: "@aws-sdk/client-" + name, Version: version, Confidence: 0.95}
	}
	const want = "@aws-sdk/middleware-retry@3.215.0 in node_modules/@aws-sdk/middleware-retry 0.85"
	for _, tt := range []struct {
		name   string
		claims []Claim
		want   string
	}{
		{"a client", []Claim{retry, client("s3", "3.218.0")}, want},
		{"two that agree", []Claim{retry, client("s3", "3.218.0"), client("sqs", "3.216.0")}, want},
		{"two that do not", []Claim{retry, client("s3", "3.218.0"), client("sqs", "3.200.0")}, ""},
		{"one for credentials may be older", []Claim{retry, client("s3", "3.218.0"), client("sso", "3.200.0")}, want},
		{"only one for credentials", []Claim{retry, client("sts", "3.218.0")}, want},
		{"two copies", []Claim{retry, {Name: retry.Name, Confidence: 0.97, Path: "node_modules/a/node_modules/@aws-sdk/middleware-retry"}, client("s3", "3.218.0")}, "@aws-sdk/middleware-retry@3.215.0 0.85"},
		{"no client", []Claim{retry}, ""},
		{"a client without a version", []Claim{retry, client("s3", "")}, ""},
		{"known already", []Claim{retry, {Name: "@aws-sdk/middleware-retry", Version: "3.214.0"}, client("s3", "3.218.0")}, ""},
		{"not a package of the SDK's own", []Claim{{Name: "lodash"}, {Name: "@aws-sdk/lib-dynamodb"}, client("s3", "3.218.0")}, ""},
	} {
		if got := show(SDKVersions(tt.claims)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
