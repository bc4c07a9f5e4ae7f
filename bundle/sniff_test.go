package bundle

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

func TestSniff(t *testing.T) {
	class := "\xca\xfe\xba\xbe\x00\x00\x00\x34"
	tar := strings.Repeat("\x00", 257) + "ustar\x0000" + strings.Repeat("\x00", 300)
	tests := []struct {
		name, content string
		want          Kind
		err           string
	}{
		{"zip", string(plain("index.js", "1")), KindZip, ""},
		{"zip with a stub", "#!/bin/sh\n" + string(plain("index.js", "1")), KindZip, ""},
		{"zip behind an executable", "\x7fELF" + strings.Repeat("x", 90) + string(plain("index.js", "1")), KindZip, ""},
		{"empty zip", string(zipOf{}.bytes()), KindZip, ""},
		{"zip cut off", string(plain("index.js", "1")[:40]), KindZip, ""},
		{"jar", string(plain("META-INF/MANIFEST.MF", "", "com/x/A.class", class)), KindJar, ""},
		{"jar named zip", string(plain("com/x/A.class", class, "META-INF/MANIFEST.MF", "")), KindJar, ""},
		{"classes without a manifest", string(plain("com/x/A.class", class)), KindZip, ""},
		{"manifest in an Azure app", string(plain("META-INF/MANIFEST.MF", "", "A.class", class, "host.json", "{}")), KindZip, ""},
		{"ELF", "\x7fELF" + strings.Repeat("\x00", 60), KindBinary, ""},
		{"ELF that mentions an end record", "\x7fELF" + strings.Repeat("\x00", 60) + sigEnd + strings.Repeat("z", 60), KindBinary, ""},
		{"PE", "MZ" + strings.Repeat("\x00", 100), KindBinary, ""},
		{"Mach-O", "\xcf\xfa\xed\xfe" + strings.Repeat("\x00", 60), KindBinary, ""},
		{"Mach-O universal", "\xca\xfe\xba\xbe\x00\x00\x00\x02" + strings.Repeat("\x00", 60), KindBinary, ""},
		{"Java class", class, "", "no zip end record"},
		{"gzip", "\x1f\x8b\x08", KindImage, ""},
		{"tar", tar, KindImage, ""},
		{"tar with a zip as its last file", tar + string(plain("index.js", "1")) + strings.Repeat("\x00", 1024), KindImage, ""},
		{"gzip with the bytes of a zip inside", "\x1f\x8b\x08" + string(plain("index.js", "1")) + "tail", KindImage, ""},
		{"CycloneDX", "\xef\xbb\xbf\n{\n \"bomFormat\": \"CycloneDX\"}", KindSBOM, ""},
		{"CycloneDX, format last", "{\"components\": [" + strings.Repeat(" ", 200_000) + "], \"bomFormat\": \"CycloneDX\"}", KindSBOM, ""},
		{"SPDX", `{"spdxVersion": "SPDX-2.3"}`, KindSBOM, ""},
		{"syft", `{"artifacts": [], "artifactRelationships": []}`, KindSBOM, ""},
		{"JSON", `{"a": 1}`, "", "JSON document"},
		{"CycloneDX XML", `<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>`, "", "convert it to JSON"},
		{"SPDX tag-value", "SPDXVersion: SPDX-2.3\n", "", "convert it to JSON"},
		{"web page", "<!DOCTYPE html><html>404", "", "web page"},
		{"XML", "<a/>", "", "XML document"},
		{"7z", "7z\xbc\xaf\x27\x1c", "", "pack it as a zip"},
		{"empty", "", "", "empty"},
		{"text", "hello", "", "build or fetch it again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(save(t, "x.bin", tt.content), "x.bin")
			got, err := Sniff(path)
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && (!errors.Is(err, ErrUnknownKind) || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("%q, %v, want %q, %q", got, err, tt.want, tt.err)
			}
			// what Sniff calls a function opens as one, or says why not
			f, err := new(Opener).Open(context.Background(), Spec{Ref: path})
			switch {
			case err == nil:
				if f.Code.Kind != tt.want {
					t.Errorf("opens as %q", f.Code.Kind)
				}
				f.Close()
			case !errors.Is(err, ErrUnreadable) && !errors.Is(err, ErrUnknownKind):
				t.Errorf("open: %v", err)
			}
		})
	}
	mixed := save(t, "oci-layout", "{}", "index.json", "{}", "node_modules", "1")
	if _, err := new(Opener).Open(context.Background(), Spec{Ref: mixed}); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "oci: or dir:") {
		t.Errorf("a function in the folder of a layout: %v", err)
	}
	both := filepath.Join(save(t, "x.zip", tar+string(plain("index.js", "1"))), "x.zip")
	if _, err := new(Opener).Open(context.Background(), Spec{Ref: both}); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "zip: or archive:") {
		t.Errorf("a tar that ends as a zip: %v", err)
	}
	if k, err := Sniff(save(t, "a", "1")); k != KindDirectory || err != nil {
		t.Errorf("folder: %q, %v", k, err)
	}
	if k, err := Sniff(save(t, "oci-layout", "{}", "index.json", "{}")); k != KindLayout || err != nil {
		t.Errorf("layout: %q, %v", k, err)
	}
	if _, err := Sniff(filepath.Join(t.TempDir(), "no")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestGuess(t *testing.T) {
	elf := func(machine string) string {
		return "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x03\x00" + machine + "\x00" + strings.Repeat("\x00", 40)
	}
	tests := []struct {
		name     string
		spec     Spec
		files    []string
		platform Platform
		runtime  string
		arch     string
		code     string // mount
	}{
		{"node", Spec{}, []string{"index.mjs", ""}, PlatformAWS, "nodejs", "", "var/task"},
		{"node modules", Spec{}, []string{"node_modules/x/package.json", ""}, PlatformAWS, "nodejs", "", "var/task"},
		{"declared", Spec{Runtime: "nodejs20.x", Arch: "arm64"}, []string{"index.js", ""}, PlatformAWS, "nodejs20.x", "arm64", "var/task"},
		{"Go", Spec{}, []string{"bootstrap", elf("\x3e")}, PlatformAWS, "provided.al2023", "x86_64", "var/task"},
		{"Python", Spec{}, []string{"app.py", "", "lib.cpython-312-aarch64-linux-gnu.so", elf("\xb7")}, PlatformAWS, "python3.12", "arm64", "var/task"},
		{"Python of two versions", Spec{}, []string{"app.py", "", "a.cpython-312-x.so", elf("\xb7"), "b.cpython-311-x.so", elf("\x3e")}, PlatformAWS, "python", "", "var/task"},
		{"Ruby", Spec{}, []string{"app.rb", "", "vendor/bundle/ruby/3.3.0/gems/x/x.rb", ""}, PlatformAWS, "ruby3.3", "", "var/task"},
		{"Java classes", Spec{}, []string{"com/x/A.class", ""}, PlatformAWS, "java", "", "var/task"},
		{"dotnet", Spec{}, []string{"app.deps.json", "{}"}, PlatformAWS, "dotnet", "", "var/task"},
		{"Azure", Spec{}, []string{"host.json", "{}", "package.json", "{}"}, PlatformAzure, "nodejs", "", "home/site/wwwroot"},
		{"Google", Spec{Runtime: "nodejs22"}, []string{"index.js", ""}, PlatformGoogle, "nodejs22", "", "workspace"},
		{"data", Spec{}, []string{"readme.txt", ""}, PlatformNone, "", "", ""},
		{"none", Spec{Platform: PlatformNone}, []string{"index.js", ""}, PlatformNone, "nodejs", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.spec.Ref = filepath.Join(save(t, "f.zip", string(plain(tt.files...))), "f.zip")
			f, err := new(Opener).Open(context.Background(), tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Platform != tt.platform || f.Runtime != tt.runtime || f.Arch != tt.arch || f.Layers[0].Mount != tt.code {
				t.Errorf("%q, %q, %q at %q", f.Platform, f.Runtime, f.Arch, f.Layers[0].Mount)
			}
			if (tt.spec.Runtime == "" && f.Runtime != "") != strings.Contains(strings.Join(f.Guessed, " "), "runtime") {
				t.Errorf("guessed %v", f.Guessed)
			}
		})
	}
}
