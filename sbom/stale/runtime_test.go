package stale

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func on(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// TestEmbedded reads the table of the program and asks it about every phase.
func TestEmbedded(t *testing.T) {
	table, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		platform, id, at string
		phase            Phase
		successors       string
	}{
		{"aws-lambda", "nodejs20.x", "2025-10-31", Supported, "nodejs22.x nodejs24.x"},
		{"aws-lambda", "nodejs20.x", "2025-11-01", Soon, "nodejs22.x nodejs24.x"},
		{"aws-lambda", "nodejs20.x", "2026-04-29", Soon, "nodejs22.x nodejs24.x"},
		{"aws-lambda", "nodejs20.x", "2026-04-30", Deprecated, "nodejs22.x nodejs24.x"},
		{"aws-lambda", "nodejs20.x", "2027-03-02", Deprecated, "nodejs24.x"},
		{"aws-lambda", "nodejs20.x", "2027-03-03", Blocked, "nodejs24.x"},
		{"aws-lambda", "nodejs12.x", "2026-11-22", Blocked, "nodejs24.x"},
		{"aws-lambda", "go1.x", "2026-11-22", Deprecated, "provided.al2023"},
		{"aws-lambda", "provided.al2", "2026-11-22", Deprecated, "provided.al2023"},
		{"aws-lambda", "python2.7", "2026-11-22", Blocked, "python3.13 python3.14"},
		{"aws-lambda", "java8", "2026-11-22", Deprecated, "java8.al2 java8.al2023 java11 java11.al2023 java17 java17.al2023 java21 java25"},
		{"aws-lambda", "dotnetcore3.1", "2026-11-22", Blocked, "dotnet10"},
		{"aws-lambda", "dotnet9", "2028-01-01", Deprecated, "dotnet10"}, // no block is scheduled
		{"aws-lambda", "nodejs99.x", "2026-11-22", Unknown, ""},
		{"google-cloud-functions", "nodejs18", "2026-11-22", Blocked, "nodejs24"},
		{"azure-functions", "dotnet8", "2026-11-22", Deprecated, "dotnet10"},
	} {
		a, ok := table.Look(c.platform, c.id, on(c.at))
		if !ok {
			t.Errorf("%s is not in the table", c.platform)
			continue
		}
		if a.Phase != c.phase || strings.Join(a.Successors, " ") != c.successors {
			t.Errorf("%s on %s: %q %v, want %q %s", c.id, c.at, a.Phase, a.Successors, c.phase, c.successors)
		}
		if a.Source == "" || a.AsOf.IsZero() {
			t.Errorf("%s: no source or date", c.id)
		}
	}
	if _, ok := table.Look("knative", "nodejs20.x", on("2026-11-22")); ok {
		t.Error("knative has a table")
	}
	if a, _ := table.Look("aws-lambda", "python3.14", on("2028-01-01")); !a.Old || a.Phase != Supported {
		t.Errorf("a table of 2026 asked in 2028: %+v", a)
	}
}

// TestEmbeddedIsSane holds over every line of the table of the program.
func TestEmbeddedIsSane(t *testing.T) {
	table, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range table.Platforms {
		if !strings.HasPrefix(p.Source, "https://") {
			t.Errorf("%s: source %q", p.Name, p.Source)
		}
		ids := map[string]bool{}
		for _, r := range p.Runtimes {
			ids[r.ID] = true
		}
		for _, r := range p.Runtimes {
			if r.Deprecated.IsZero() {
				t.Errorf("%s %s: no date", p.Name, r.ID)
			}
			for _, after := range []time.Time{r.BlockCreate, r.BlockUpdate} {
				if !after.IsZero() && after.Before(r.Deprecated) {
					t.Errorf("%s %s: blocked before it is deprecated", p.Name, r.ID)
				}
			}
			if !r.BlockCreate.IsZero() && r.BlockUpdate.Before(r.BlockCreate) {
				t.Errorf("%s %s: updates are blocked before creation", p.Name, r.ID)
			}
			for _, s := range r.Successors {
				if !ids[s] {
					t.Errorf("%s %s: successor %s is not in the table", p.Name, r.ID, s)
				}
			}
		}
	}
}

func TestParseIsStrict(t *testing.T) {
	const good = `{"version":1,"platforms":[{"platform":"p","asOf":"2026-01-01","source":"s","runtimes":[{"id":"a1","deprecated":"2026-02-01"}]}]}`
	if _, err := ParseRuntimes([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, says string }{
		"unknown key":      {`"id"`, `"eol":"x","id"`, "eol"},
		"no date":          {`2026-02-01`, `soon`, "soon"},
		"day that is none": {`2026-02-01`, `2026-02-30`, "2026-02-30"},
		"no asOf":          {`2026-01-01`, ``, "asOf"},
		"no source":        {`"source":"s"`, `"source":""`, "source"},
		"no id":            {`"a1"`, `""`, "id"},
		"version":          {`"version":1`, `"version":2`, "version"},
		"twice":            {`{"id":"a1"`, `{"id":"a1"},{"id":"a1"`, "twice"},
		"platform twice":   {`[{"platform"`, `[{"platform":"p","asOf":"2026-01-01","source":"s"},{"platform"`, "twice"},
		"more":             {`]}]}`, `]}]}{}`, "more than one"},
		"nothing":          {good, `{"version":1}`, "no platform"},
		"wrong type":       {`"2026-02-01"`, `5`, "string"},
		"empty":            {good, ``, "EOF"},
		"too large":        {good, strings.Repeat(" ", MaxRuntimesBytes+1), "limit"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if _, err := ParseRuntimes([]byte(text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}

func TestOver(t *testing.T) {
	mine, err := ParseRuntimes([]byte(`{"version":1,"platforms":[{"platform":"aws-lambda","asOf":"2027-01-01","source":"mine","runtimes":[]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	own, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	both := mine.Over(own)
	if a, ok := both.Look("aws-lambda", "nodejs20.x", on("2027-01-02")); !ok || a.Phase != Unknown || a.Source != "mine" {
		t.Errorf("the named table does not replace the own one: %+v", a)
	}
	if a, ok := both.Look("google-cloud-functions", "nodejs18", on("2027-01-02")); !ok || a.Phase != Blocked {
		t.Errorf("a platform that the named table lacks is lost: %+v", a)
	}
	if n := len((*Runtimes)(nil).Over(nil).Platforms); n != 0 {
		t.Errorf("%d platforms of nothing", n)
	}
}

func TestNatural(t *testing.T) {
	ids := []string{"java11", "java8.al2", "java8", "java21", "nodejs4.3-edge", "nodejs10.x", "nodejs4.3", "", "python3.9", "python3.10", "python3.010"}
	slices.SortFunc(ids, natural)
	want := "[ java8 java8.al2 java11 java21 nodejs4.3 nodejs4.3-edge nodejs10.x python3.9 python3.10 python3.010]"
	if got := fmt.Sprint(ids); got != want {
		t.Errorf("order %s, want %s", got, want)
	}
}

// FuzzParseRuntimes holds that no table makes the parser or a question panic.
func FuzzParseRuntimes(f *testing.F) {
	f.Add(runtimesJSON, "nodejs20.x")
	f.Add([]byte(`{"version":1,"platforms":[{"platform":"aws-lambda","asOf":"2026-01-01","source":"s","runtimes":[{"id":"0"},{"id":"a00"}]}]}`), "a0")
	f.Fuzz(func(t *testing.T, data []byte, id string) {
		table, err := ParseRuntimes(data)
		if err != nil {
			return
		}
		for _, p := range table.Platforms {
			if _, ok := table.Look(p.Name, id, on("2026-11-22")); !ok {
				t.Fatalf("platform %q is in the table and not found", p.Name)
			}
		}
	})
}
