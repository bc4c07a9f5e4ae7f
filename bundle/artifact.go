package bundle

// Digest is a content digest in the form "sha256:" followed by lower-case
// hexadecimal. The zero value means "not known" and equals no real digest.
type Digest string

// Kind says what an artifact is. The content decides, never the file name.
type Kind string

// The kinds of artifact. The zero Kind means that the content was not recognised.
const (
	KindZip       Kind = "zip"       // a deployment zip: function, layer
	KindDirectory Kind = "directory" // one unpacked function
	KindJar       Kind = "jar"       // a Java archive
	KindBinary    Kind = "binary"    // one bare executable
	KindSBOM      Kind = "sbom"      // a document, no bytes of the function itself
	KindImage     Kind = "image"     // a container image
	KindLayout    Kind = "layout"    // an OCI image layout
	KindInline    Kind = "inline"    // source text that stands in a descriptor
)

// Artifact is one shipped thing that has bytes and a digest.
type Artifact struct {
	Ref    string // what the user called it: a path or a reference
	Kind   Kind
	Digest Digest // zip, jar, binary: of the file; directory: over its sorted files, see dir.go (folder.digest); "" when not everything could be read
	Size   int64  // bytes as shipped (compressed), 0 when not known
}

// Layer is an artifact and the place where the platform mounts it.
type Layer struct {
	Artifact
	Mount string // slash-separated, no leading slash: "var/task" for the code of a Lambda function, "opt" for a layer, "" for the root
}

// Spec says what to open: one function, as flags, a targets file or a
// descriptor name it. Only Ref is required.
type Spec struct {
	Name     string   // of the function; empty: the base name of Ref without its extension
	Ref      string   // path of the code artifact; a prefix such as "zip:" or "dir:" forces the kind
	Runtime  string   // platform's runtime id such as "nodejs20.x"; empty: guessed
	Handler  string   // as declared; empty: not known
	Arch     string   // "x86_64" or "arm64"; empty: not known
	Platform Platform // empty: guessed
	Layers   []string // paths of the layers in the platform's merge order: a later one overwrites an earlier one
	Base     string   // of a container image: the digest of its base image, or the path of it; empty: by annotations and history
	Inline   *Inline  // the whole code, when a descriptor holds it; Ref then names the place
	Unread   string   // why the code cannot be had here, as a descriptor's reader knows it; Open then fails with it
	Found    bool     // it was found in a folder: nobody chose its name
	Declared Declared
}

// Platform is the service that runs the function.
type Platform string

// The platforms. PlatformNone is a function that no service is known for.
const (
	PlatformAWS     Platform = "aws-lambda"
	PlatformAzure   Platform = "azure-functions"
	PlatformGoogle  Platform = "google-cloud-functions"
	PlatformKnative Platform = "knative"
	PlatformNone    Platform = "none"
)
