package archtest

// module is the path of this module.
const module = "github.com/fnaudit/fnaudit"

// libraries are the packages that know nothing of policy, report or command
// line. None of them may import anything under cmd.
var libraries = []string{
	"bundle", "bundle/attest", "bundle/descriptor", "bundle/pull",
	"sbom", "sbom/catalog", "sbom/codec", "sbom/integrity", "sbom/jar", "sbom/jsbundle", "sbom/licence", "sbom/pystrip", "sbom/registry", "sbom/resolve", "sbom/rpmdb", "sbom/stale", "sbom/trust",
	"vulndb", "vulndb/disk", "vulndb/feed", "vulndb/reach", "vulndb/share", "vulndb/version",
}

// arrows says what each package may import of this module. A package that is
// not listed is an error: whoever adds one decides here what it may know.
func arrows() map[string][]string {
	return map[string][]string{
		"bundle":            nil,
		"bundle/attest":     {"bundle"},
		"bundle/descriptor": {"bundle"},
		"bundle/pull":       {"bundle"},

		"sbom":           {"bundle"},
		"sbom/catalog":   {"sbom", "sbom/codec", "sbom/jar", "sbom/jsbundle", "sbom/pystrip", "sbom/rpmdb", "bundle"},
		"sbom/codec":     {"sbom", "bundle"},
		"sbom/jar":       {"sbom", "bundle"},
		"sbom/jsbundle":  {"sbom", "bundle"},
		"sbom/pystrip":   {"sbom", "bundle"},
		"sbom/licence":   nil,
		"sbom/rpmdb":     nil,
		"sbom/registry":  {"sbom", "vulndb/version"}, // how versions are ordered is the same question there
		"sbom/integrity": {"sbom", "sbom/registry", "bundle"},
		"sbom/resolve":   {"sbom", "sbom/registry", "vulndb/version"},
		"sbom/stale":     {"sbom", "sbom/registry", "vulndb/version"},
		"sbom/trust":     {"sbom", "sbom/registry", "vulndb/version"},

		"vulndb":         {"vulndb/disk", "vulndb/version"},
		"vulndb/disk":    nil,
		"vulndb/feed":    {"vulndb"},
		"vulndb/reach":   {"vulndb"},
		"vulndb/share":   {"vulndb"},
		"vulndb/version": nil,

		"cmd/internal/finding":  nil,
		"cmd/internal/spelling": nil,
		"cmd/internal/notify":   {"cmd/internal/finding"},
		"cmd/internal/policy":   {"cmd/internal/finding", "cmd/internal/spelling", "sbom", "sbom/licence", "sbom/trust", "vulndb/version"}, // patterns of names, lists of licences and ranges of waivers are checked by who matches them
		"cmd/internal/report":   {"cmd/internal/finding", "cmd/internal/spelling", "sbom", "sbom/codec", "bundle"},
		"cmd/internal/vex":      {"cmd/internal/finding", "sbom", "vulndb/version"}, // the names of packages and the order of versions
		"cmd/internal/audit":    append([]string{"cmd/internal/finding", "cmd/internal/policy", "cmd/internal/vex"}, except(libraries, "vulndb/feed", "vulndb/share", "bundle/pull")...),
		"cmd/internal/gate":     {"cmd/internal/finding", "bundle/attest"},
		"cmd/internal/fleet":    {"cmd/internal/finding"},
		"cmd/internal/night":    {"cmd/internal/audit", "cmd/internal/finding", "vulndb/disk"}, // a set is locked and brought to the disk as the store is
		"cmd/internal/cli":      append([]string{"cmd/internal/fleet", "cmd/internal/gate", "cmd/internal/night", "cmd/internal/notify", "cmd/internal/finding", "cmd/internal/policy", "cmd/internal/report", "cmd/internal/audit", "cmd/internal/vex"}, libraries...),
		"cmd/internal/archtest": nil,
		"cmd/internal/startup":  {},
		"cmd/fnaudit":           {"cmd/internal/cli", "cmd/internal/startup", "vulndb/reach"},
	}
}

// standardOnly are the packages that import nothing but the standard library.
var standardOnly = map[string]string{
	"cmd/internal/finding": "it is the vocabulary that every other part speaks",
}

// door is a module outside that only some packages may import.
type door struct {
	prefix string   // of the import path
	open   []string // packages that may import it; none: tests only
	reason string
}

// doors keeps each heavy or replaceable module behind one package, so that it
// can be replaced there and so that its cost is paid by those who need it.
func doors() []door {
	return []door{
		{"github.com/anchore/", []string{"sbom/catalog"}, "syft is the heaviest dependency; its types must not spread"},
		{"github.com/CycloneDX/", []string{"sbom/codec"}, "documents are read and written in one place"},
		{"github.com/github/go-spdx", []string{"sbom/codec", "sbom/licence"}, "its lists of identifiers are used, and not its expressions: they multiply out choices of choices"},
		{"github.com/spdx/", []string{"sbom/codec"}, "documents are read and written in one place"},
		{"github.com/google/osv-scanner/", []string{"cmd/internal/report"}, "only its output model is used, for osv-json"},
		{"github.com/google/osv-scalibr", []string{"vulndb/version"}, "only its version order is used"},
		{"github.com/owenrumney/go-sarif/", []string{"cmd/internal/report"}, "a report format"},
		{"github.com/pelletier/go-toml/", []string{"sbom/catalog"}, "its parser has no promise of compatibility, so one file uses it"},
		{"deps.dev/", []string{"sbom/resolve"}, "trees of dependencies are worked out in one place, under its limits"},
		{"github.com/tdewolff/parse", []string{"sbom/jsbundle"}, "its lexer needs the bounds that are around it there"},
		{"go.yaml.in/yaml", []string{"bundle/descriptor"}, "templates are read in one place, within limits"},
		{"github.com/spf13/", []string{"cmd/internal/cli"}, "flags are the command line's business"},
		{"github.com/google/go-containerregistry", []string{"bundle/pull"}, "who talks to a registry does so under that package's limits"},
		{"golang.org/x/vuln", []string{"vulndb/reach"}, "it runs other programs, so it runs in a child process only"},
		{"github.com/sigstore/", []string{"bundle/attest"}, "who signed is asked in one place, and so are the rules of that"},
		{"github.com/notaryproject/", []string{"bundle/attest"}, "its defaults reach for the network: one file keeps it from that"},
		{"github.com/digitorus/", []string{"bundle/attest"}, "CMS is read in one place"},
		{"github.com/ProtonMail/", []string{"bundle/attest"}, "OpenPGP is read in one place"},
		{"os/exec", []string{"vulndb/reach"}, "the program runs nothing but itself, confined"},
		{"github.com/santhosh-tekuri/jsonschema/", nil, "schemas check our output in tests; they are not part of the program"},
		{"github.com/rogpeppe/go-internal", nil, "a test tool"},
	}
}

// host is a package registry's host name, split so that this file does not hold it.
type host []string

// hosts are the registries that no tracked text file may name: which registry
// is used is the configuration of whoever runs a command.
func hosts() []host {
	return []host{
		{"registry", ".npmjs", ".org"}, {"registry", ".yarnpkg", ".com"},
		{"pypi", ".org"}, {"test.pypi", ".org"}, {"files", ".pythonhosted", ".org"},
		{"proxy", ".golang", ".org"}, {"sum", ".golang", ".org"},
		{"rubygems", ".org"}, {"index.rubygems", ".org"},
		{"repo1", ".maven", ".org"}, {"repo", ".maven", ".apache", ".org"}, {"central", ".sonatype", ".com"},
		{"index", ".crates", ".io"}, {"static", ".crates", ".io"}, {":", "//crates", ".io"},
		{"api", ".nuget", ".org"}, {"packagist", ".org"}, {"repo.packagist", ".org"},
		{"deb", ".debian", ".org"}, {"security", ".debian", ".org"}, {"dl-cdn", ".alpinelinux", ".org"},
	}
}

// except returns list without the named entries.
func except(list []string, names ...string) []string {
	var kept []string
next:
	for _, entry := range list {
		for _, name := range names {
			if entry == name {
				continue next
			}
		}
		kept = append(kept, entry)
	}
	return kept
}
