package report_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/cmd/internal/report"
	"github.com/fnaudit/fnaudit/sbom/codec"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "",
		"lodash 4.17.15":           "lodash 4.17.15",
		"日本語 café cafe\u0301":      "日本語 café cafe\u0301",
		"\x1b[2J":                  `\u{1b}[2J`,
		"a\nb\tc\rd\x00\x7f":       `a\u{a}b\u{9}c\u{d}d\u{0}\u{7f}`,
		"\u009b31m":                `\u{9b}31m`,
		"a\u202eb\u2066c\u200d":    `a\u{202e}b\u{2066}c\u{200d}`,
		"\xff\xc3":                 `\x{ff}\x{c3}`,
		"\ufeff\u2028\U000e0041":   `\u{feff}\u{2028}\u{e0041}`,
		"<script>x</script>":       `\u{3c}script>x\u{3c}/script>`,
		"a < b <4.17.21 <=2":       "a < b <4.17.21 <=2",
		"::error title=x::y":       `\u{3a}:error title=x::y`,
		"x ::set-env y":            `x \u{3a}:set-env y`,
		"std::string ::":           `std::string \u{3a}:`,
		"x\u2003::set-env y":       "x\u2003\\u{3a}:set-env y", // lines are broken at it
		"\u00a0::set-env y":        "\u00a0\\u{3a}:set-env y",  // runners trim it
		"##[error]x ##vso[a] ## h": `#\u{23}[error]x #\u{23}vso[a] ## h`,
	} {
		if got := report.Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add(hostile)
	f.Add("::::\n##[[\xed\xa0\x80")
	f.Fuzz(func(t *testing.T, s string) {
		got := report.Escape(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		for _, r := range got {
			if codec.Unsafe(r) || unicode.IsControl(r) {
				t.Fatalf("%U in %q", r, got)
			}
		}
		if slices.ContainsFunc(strings.Fields(got), func(l string) bool { return strings.HasPrefix(l, "::") }) || strings.Contains(got, "##[") || strings.Contains(got, "<s") {
			t.Fatalf("%q acts where it is shown", got)
		}
		if again := report.Escape(got); again != got {
			t.Fatalf("twice: %q, once: %q", again, got)
		}
	})
}
