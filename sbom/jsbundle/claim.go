package jsbundle

// Method is how a package inside a bundle was recognised: one rung of the
// ladder of evidence. The values stand in reports as they are here.
type Method string

// The rungs, the most telling first.
const (
	MethodMetafile      Method = "bundler-metafile"  // a bundler's own account of what it wrote, beside the bundle
	MethodSourceMap     Method = "source-map"        // the map's sources, as far as it agrees with the bytes
	MethodComment       Method = "path-comment"      // a comment that names the file a module came from
	MethodKey           Method = "module-key"        // the key or id of a module in the bundler's table
	MethodLock          Method = "lockfile"          // a lockfile, joined with a path found another way
	MethodManifest      Method = "embedded-manifest" // a package.json that the bundle holds
	MethodLicence       Method = "licence-comment"   // a licence that names its package, in the bundle or extracted beside it
	MethodLiteral       Method = "version-literal"   // a version beside what only one package says
	MethodClientVersion Method = "client-version"    // the AWS SDK's clientVersion beside its service id
)

// Claim is one piece of evidence that a bundle holds code of a package. Claims
// about one package come as they are found, several of them too; who puts them
// together decides what they weigh.
type Claim struct {
	Name       string  // as npm spells it: "lodash", "@scope/name"; never empty
	Version    string  // "" when the evidence does not tell
	Method     Method  // never empty
	Confidence float64 // 0 to 1, of the name; of the version too, unless that is empty
	Path       string  // where the package was installed when it was bundled, from any folder up: "node_modules/a/node_modules/b"; "" when that is not known
	Inside     string  // another package that was published with a copy of this one in its own files; "" for what was installed
	Offset     int64   // of what it is about in the bundle, in bytes; -1 when that is not known
	Detail     string  // a few plain words; of the file's text only names and versions
	Bytes      int64   // of the bundle that the spans give to this claim
	From       string  // path of the companion that holds the evidence (map, metafile, licences); "" is the bundle itself
}

// Values of Span.Claim that are no index.
const (
	SpanUnknown = -1 // nothing says whose the bytes are
	SpanOwn     = -2 // code of the function itself: evidence names a file that lies in no package
	SpanBundler = -3 // code that the bundler wrote: its runtime, and what it puts around modules
)

// Span is a part of a bundle, [Start, End) in bytes, and whose it is. The spans
// of a Result are in order, do not overlap and cover the code: all of the bundle
// but the comment at its end that names the source map or holds it.
type Span struct {
	Start, End int64
	Claim      int // index into Result.Claims, or SpanUnknown, SpanOwn, SpanBundler
}

// Gap is something that could not be made out of a bundle or its companions.
type Gap struct {
	Path   string // of the companion, "" for the bundle
	Offset int64  // in bytes, -1 when there is no place
	Reason string // plain words, never text of the file
}

// Result is what evidence says about one bundle. The zero value says nothing.
type Result struct {
	Claims []Claim
	Spans  []Span // see Span; nil when there is no evidence of whose the bytes are
	Gaps   []Gap

	// Misnamed is true when code under the name of a file of the function's own
	// says that it is a package's: then names of files prove nothing.
	Misnamed bool

	// Asks holds the packages that the code loads when it runs, inside or not;
	// there may be names that are none. nil when there are none.
	Asks map[string]bool

	// Told is true only when every byte's package is known or is the bundler's
	// or the function's own: the claims then list all that is inside.
	Told bool
}

// Bytes sums the spans: what packages account for, the function's own code, the
// bundler's, and what nobody could name. Together they are all of the code.
func (r *Result) Bytes() (packages, own, bundler, unknown int64) {
	for _, s := range r.Spans {
		switch n := s.End - s.Start; {
		case s.Claim >= 0:
			packages += n
		case s.Claim == SpanOwn:
			own += n
		case s.Claim == SpanBundler:
			bundler += n
		default:
			unknown += n
		}
	}
	return packages, own, bundler, unknown
}
