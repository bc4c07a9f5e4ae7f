package jar

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/sbom"
)

// archive is one archive while it is being read, or the artifact itself.
type archive struct {
	s     *Scanner
	vol   *bundle.Volume
	tree  *bundle.Tree
	path  string // of the archive inside the artifact; of the artifact its file name
	at    string // what the paths inside it begin with: "lib/b.jar!/"; "" for the artifact
	name  fileName
	depth int
	outer *archive
	root  bool
	older bool

	finder      *setFinder
	classes     int             // without those for newer Java versions
	folders     map[string]int  // package folder -> classes in it
	sums        classSums       // of folders
	fitting     map[string]bool // groups that were asked for -> they fit the classes
	tops        map[string]bool // first and second words of the folders -> they tell something
	multi       int             // classes under META-INF/versions
	poms        map[string]*pomFiles
	manifest    Manifest
	hasManifest bool
	markers     []string // META-INF/GROUP_ARTIFACT.version
	buildInfo   string
	nested      []nestedFile
	named       bool
	archives    bool // there are archives beside the classes
	foreign     foreign
	refuted     bool // the classes are another library's than the manifest says
}

// pomFiles are the two files of one folder META-INF/maven/GROUP/ARTIFACT.
type pomFiles struct{ group, artifact, properties, xml string }

// nestedFile is an archive inside the archive.
type nestedFile struct {
	path  string
	named bool // it is an archive by its name
}

func (s *Scanner) newArchive(v *bundle.Volume, tree *bundle.Tree, p, at string) *archive {
	return &archive{s: s, vol: v, tree: tree, path: p, at: at, name: splitFileName(p),
		finder: newSetFinder(libraries()), folders: map[string]int{}, fitting: map[string]bool{}, poms: map[string]*pomFiles{}}
}

// java reports whether the archive holds anything of Java besides archives.
func (a *archive) java() bool {
	return a.classes > 0 || a.multi > 0 || a.hasManifest || len(a.poms) > 0 || len(a.markers) > 0
}

// collect sorts the archive's files by what they are good for.
func (a *archive) collect(ctx context.Context) error {
	files := a.vol.Files()
	a.s.entries += len(files)
	for i := range files {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		f := &files[i]
		if f.Mode&fs.ModeSymlink != 0 {
			continue
		}
		if strings.HasSuffix(f.Path, ".class") || strings.HasSuffix(f.Path, ".classdata") || strings.HasSuffix(f.Path, ".esclazz") {
			a.class(f.Path)
			continue
		}
		if metadata := strings.Index(f.Path, "META-INF/"); metadata >= 0 && (metadata == 0 || f.Path[metadata-1] == '/') {
			a.metadata(f.Path, f.Path[metadata+len("META-INF/"):], metadata == 0)
		}
		a.file(f)
	}
	return nil
}

func (a *archive) class(p string) {
	if i := strings.Index(p, "META-INF/versions/"); i >= 0 {
		a.multi++ // the same classes again for a newer Java
		return
	}
	a.classes++
	name := strings.TrimSuffix(p, path.Ext(p))
	if dir := path.Dir(p); dir != "." {
		a.folders[dir]++
	} else {
		a.folders[""]++
	}
	a.finder.class(name, p)
}

// metadata notes a file at rest below META-INF. top says that it is the
// archive's own META-INF and not that of a folder inside it.
func (a *archive) metadata(p, rest string, top bool) {
	switch {
	case rest == "MANIFEST.MF" && top:
		a.readManifest(p)
	case strings.HasPrefix(rest, "maven/"):
		parts := strings.Split(rest, "/")
		if len(parts) != 4 || parts[3] != "pom.properties" && parts[3] != "pom.xml" {
			return
		}
		key := path.Dir(p)
		files := a.poms[key]
		if files == nil {
			files = &pomFiles{group: parts[1], artifact: parts[2]}
			a.poms[key] = files
		}
		if parts[3] == "pom.xml" {
			files.xml = p
		} else {
			files.properties = p
		}
	case rest == "build-info.properties":
		a.buildInfo = p
	case strings.HasSuffix(rest, ".version") && strings.Count(rest, "_") >= 1 && strings.IndexByte(rest, '/') < 0:
		a.markers = append(a.markers, p)
	}
}

func (a *archive) readManifest(p string) {
	a.hasManifest = true
	data, err := a.text(p, a.s.opts.MaxText)
	if err != nil {
		a.s.unread(a.at+p, err)
		return
	}
	if a.manifest, err = ParseManifest(data); err != nil {
		a.s.unread(a.at+p, err)
	}
}

// file notes nested archives and what else is inside. Of the artifact's own
// files only those are looked into whose names do not say that they are no
// archives: it has tens of thousands, and its caller has looked at each.
func (a *archive) file(f *bundle.File) {
	ext := strings.ToLower(path.Ext(f.Path))
	switch named := archiveExtension(ext); {
	case named:
		a.nested = append(a.nested, nestedFile{f.Path, true})
	case a.root && (f.Size < 22 || plainName(f.Path, ext)):
	default:
		a.sniff(f, ext)
	}
}

// javaName reports whether an archive is one of Java by its name.
func javaName(p string) bool {
	ext := strings.ToLower(path.Ext(p))
	return ext != ".zip" && archiveExtension(ext)
}

// descend reads the archives inside.
func (a *archive) descend(ctx context.Context) error {
	for _, n := range a.nested {
		if err := a.inner(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) inner(ctx context.Context, n nestedFile) error {
	at := a.at + n.path
	c, err := a.tree.Content(n.path)
	if err != nil {
		a.s.unread(at, err)
		return nil
	}
	defer c.Close()
	return a.s.open(ctx, at, c, a.depth+1, a)
}

// notices turns what could not be read of the archive's structure into unknowns.
func (a *archive) notices() {
	for _, n := range a.vol.Notices() {
		if !n.Unread {
			continue
		}
		kind, reason := sbom.OfNotice(n)
		p := a.path
		if n.Path != "" {
			p = a.at + n.Path
		}
		a.s.unknown(p, kind, reason, n.Path == "" || codeLike(n.Path))
	}
}

// codeLike reports whether a file of a Java archive is code or says which code
// there is.
func codeLike(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".class", ".jar", ".war", ".ear", ".aar", ".zip", ".so", ".dll", ".dylib", ".properties", ".xml", ".mf", "":
		return !slices.Contains([]string{"LICENSE", "NOTICE", "DEPENDENCIES", "LICENSE.txt", "NOTICE.txt"}, path.Base(p)) && !strings.Contains(p, "META-INF/services/")
	}
	return false
}
