package night

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Head is what a report says of the run that made it.
type Head struct {
	SchemaVersion string            `json:"schemaVersion"`
	Tool          finding.Tool      `json:"tool"`
	Database      finding.Database  `json:"database"`
	Policy        finding.PolicyRef `json:"policy"`
	JudgedAt      time.Time         `json:"judgedAt"`
}

// Stored is one function of a stored report that was found and not yet read;
// or a file that cannot be, when Err is set.
type Stored struct {
	File   string // as it was named, or found in a folder that was; "-" is standard input
	Name   string // of the function
	Target string // what was judged
	Digest string // of its first artifact; "" when the report has none
	Head   *Head
	Err    error // why the file is no report that can be read

	set             int    // index of the name that was given
	below           string // the file in the folder that was named
	apart           bool   // a set has several functions of the name
	owner, declared string
	at              int64
	size            int
	text            []byte      // of standard input; nil: the file's
	info            fs.FileInfo // of the file when it was read; nil: it was not
}

// name is what two reports of one function have in common.
func (s *Stored) name() string { return s.Name + "\x00" + s.owner + "\x00" + s.declared }

// key is name, and the file where a set has several functions of that.
func (s *Stored) key() string {
	if s.apart {
		return s.name() + "\x00" + s.below
	}
	return s.name()
}

// AlertsName is the file beside reports that says which alerts were sent, and
// that is no report.
const AlertsName = ".fnaudit-alerts.json"

// manifestName is the file that says which files a set has.
const manifestName = ".fnaudit-set.json"

// Temporary files of this program end so; a run that was killed leaves them.
const temporary = ".tmp"

// Find finds the functions of reports: files of format json or jsonl, or
// folders of them, with all that lies below. Each file counts once. What cannot
// be read is among the result with its Err, so that it is never passed over. An
// error is about a name that was given and that does not exist.
func Find(names []string, stdin io.Reader) ([]Stored, error) {
	type place struct {
		file, below string
		set         int
	}
	var places []place
	seen, folders := map[string]bool{}, resolver{}
	for set, name := range names {
		if name == "-" {
			if !seen[name] {
				places = append(places, place{name, "", set})
			}
			seen[name] = true
			continue
		}
		files, err := filesOf(name)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if real := folders.real(f); real != "" {
				if seen[real] {
					continue
				}
				seen[real] = true
			}
			places = append(places, place{f, strings.TrimPrefix(f, name), set})
		}
	}
	lists := make([][]Stored, len(places))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(places)) {
		all.Go(func() {
			buf := make([]byte, 0, 256<<10)
			for i := int(next.Add(1)) - 1; i < len(places); i = int(next.Add(1)) - 1 {
				if p := places[i]; p.file == "-" {
					lists[i] = findIn(stdin, &buf)
				} else {
					lists[i] = readFile(p.file, &buf)
				}
				for j := range lists[i] {
					lists[i][j].set, lists[i][j].below = places[i].set, places[i].below
				}
			}
		})
	}
	all.Wait()
	return slices.Concat(lists...), nil
}

// resolver remembers where folders are really, which takes a system call for
// each of their parents.
type resolver map[string]string

// real is where a file is really; "" when that cannot be said.
func (r resolver) real(file string) string {
	dir, base := filepath.Split(file)
	info, err := os.Lstat(file)
	if err != nil {
		return ""
	}
	if info.Mode()&fs.ModeSymlink != 0 || base == "" || base == "." || base == ".." {
		return resolved(file)
	}
	at, ok := r[dir]
	if !ok {
		at = resolved(filepath.Clean(dir))
		r[dir] = at
	}
	if at == "" {
		return ""
	}
	return filepath.Join(at, base)
}

// resolved is a path from the root on without symbolic links; "" when that cannot be
// said.
func resolved(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	if real, err = filepath.Abs(real); err != nil {
		return ""
	}
	return real
}

// RefuseFuture marks the reports that say they were judged more than a day after
// now as unreadable: each would stand before all that come later.
func RefuseFuture(list []Stored, now time.Time) {
	for i := range list {
		s := &list[i]
		if s.Err == nil && s.Head != nil && s.Head.JudgedAt.After(now.AddDate(0, 0, 1)) {
			s.Err = fmt.Errorf("it says that it was judged on %s, which is still to come: correct the clock of whoever made it", s.Head.JudgedAt.UTC().Format(time.DateOnly))
		}
	}
}

// filesOf lists a file, or those of a folder in the order of their paths.
func filesOf(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	var out []string
	err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == name:
			return err
		case err != nil:
			out = append(out, path) // a folder that cannot be read is said when it is opened
			return nil
		case d.IsDir() || strings.HasPrefix(d.Name(), ".") && strings.HasSuffix(d.Name(), temporary) || d.Name() == manifestName || d.Name() == AlertsName:
			return nil
		}
		out = append(out, path)
		return nil
	})
	slices.Sort(out)
	return out, err
}

// findIn is readFile of standard input, which can be read only once.
func findIn(r io.Reader, buf *[]byte) []Stored {
	text, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("more than %d MB: name a file instead", maxInput>>20)
	}
	if err != nil {
		return []Stored{{File: "-", Err: err}}
	}
	list := readText("-", bytes.NewReader(text), buf)
	for i := range list {
		list[i].text = text
	}
	return list
}

// maxInput bounds in bytes what is read from standard input.
const maxInput = 1 << 30

// readFile finds the functions of a file.
func readFile(name string, buf *[]byte) []Stored {
	f, err := open(name)
	if err != nil {
		return []Stored{{File: name, Err: err}}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return []Stored{{File: name, Err: cause(err)}}
	}
	list := readText(name, f, buf)
	for i := range list {
		list[i].info = info
	}
	return list
}

// errChanged is why a report cannot be taken for what was found before.
var errChanged = errors.New("it was changed while it was read")

// unchanged says whether a file is still the one that was read.
func unchanged(was, now fs.FileInfo) bool {
	return os.SameFile(was, now) && was.Size() == now.Size() && was.ModTime().Equal(now.ModTime())
}

// open opens a regular file: a pipe would wait for ever, a device never end.
func open(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	return f, nil
}

// cause is an error about a file without the file's name.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// errNoReport is why a text is no report of any form.
var errNoReport = errors.New(`it is no report: those are what "fnaudit scan -o json=FILE" and "-o jsonl=FILE" write`)

// readText finds the functions of a text. Those before what cannot be read are
// in the result all the same.
func readText(name string, r io.Reader, buf *[]byte) []Stored {
	s := newSplitter(r, *buf)
	var out []Stored
	var last head
	var err error
	for n := 0; err == nil; n++ {
		c, eof := s.peek()
		if eof != nil {
			if !errors.Is(eof, io.ErrUnexpectedEOF) {
				err = eof
			} else if n == 0 {
				err = errors.New("it is empty")
			}
			break
		}
		if c != '{' {
			err = errNoReport
			break
		}
		var more []Stored
		more, err = readObject(s, &last)
		out = append(out, more...)
	}
	*buf = s.buf
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	for i := range out {
		out[i].File = name
	}
	if err != nil {
		out = append(out, Stored{File: name, Err: err})
	}
	return out
}

// head is a head with the text that it was read from, so that the lines of one
// run share it.
type head struct {
	text string
	*Head
}

// headKeys are the keys of Head in the order of a report.
var headKeys = []string{"schemaVersion", "tool", "database", "policy", "judgedAt"}

// readObject finds the functions of one object: a whole report, or one line.
// Those before what cannot be read have what the object said of its run until
// then; without that they are none.
func readObject(s *splitter, last *head) (out []Stored, err error) {
	if err := s.take('{'); err != nil {
		return nil, err
	}
	start := s.off + int64(s.pos) - 1
	var headText strings.Builder
	defer func() {
		if last.read(headText.String()) != nil {
			out = nil
		}
		for i := range out {
			out[i].Head = last.Head
		}
	}()
	var me identity
	whole, seen := false, map[string]bool{}
	for first := true; ; first = false {
		more, err := s.more('}', first)
		if err != nil {
			return out, err
		}
		if !more {
			break
		}
		_, raw, err := s.value()
		if err != nil {
			return out, err
		}
		var key string
		if err := decode(string(raw), &key); err != nil {
			return out, err
		}
		if seen[key] {
			return out, fmt.Errorf("the key %q stands twice", clip(key))
		}
		seen[key] = true
		if err := s.take(':'); err != nil {
			return out, err
		}
		if key == "functions" {
			whole = true
			if out, err = readFunctions(s); err != nil {
				return out, err
			}
			continue
		}
		_, raw, err = s.value()
		if err != nil {
			return out, err
		}
		if slices.Contains(headKeys, key) {
			fmt.Fprintf(&headText, "%q:%s,", key, raw)
		} else if err := me.take(key, raw); err != nil {
			return out, err
		}
	}
	if err := last.read(headText.String()); err != nil {
		return nil, err
	}
	if !whole {
		if me.name == "" || !seen["checks"] {
			return nil, errNoReport
		}
		size := s.off + int64(s.pos) - start
		if size > maxFunction {
			return nil, fmt.Errorf("a line of more than %d MB", maxFunction>>20)
		}
		out = []Stored{me.stored(start, int(size))}
	}
	return out, nil
}

// read reads a head, unless it is the one that was read last.
func (h *head) read(text string) error {
	if h.Head != nil && h.text == text {
		return nil
	}
	var next Head
	if err := decode("{"+strings.TrimSuffix(text, ",")+"}", &next); err != nil {
		return err
	}
	switch {
	case next.SchemaVersion == "":
		return errNoReport
	case next.SchemaVersion != finding.SchemaVersion:
		return fmt.Errorf("its schemaVersion is %q, this program knows %q", clip(next.SchemaVersion), finding.SchemaVersion)
	}
	h.text, h.Head = text, &next
	return nil
}

// readFunctions finds the functions of a whole report.
func readFunctions(s *splitter) ([]Stored, error) {
	if err := s.take('['); err != nil {
		return nil, err
	}
	var out []Stored
	for first := true; ; first = false {
		more, err := s.more(']', first)
		if err != nil || !more {
			return out, err
		}
		at, raw, err := s.value()
		if err != nil {
			return out, err
		}
		me, err := identify(raw)
		if err != nil {
			return out, fmt.Errorf("function %d: %w", len(out), err)
		}
		out = append(out, me.stored(at, len(raw)))
	}
}

// identity is what tells functions apart.
type identity struct {
	name, target, owner, declared, digest string
}

func (me *identity) stored(at int64, size int) Stored {
	return Stored{Name: me.name, Target: me.target, owner: me.owner, declared: me.declared, Digest: me.digest, at: at, size: size}
}

// take takes what one key of a function says.
func (me *identity) take(key string, raw []byte) error {
	switch key {
	case "name":
		return decode(string(raw), &me.name)
	case "target":
		return decode(string(raw), &me.target)
	case "owner":
		return decode(string(raw), &me.owner)
	case "declared":
		var d struct {
			FunctionName string `json:"functionName"`
		}
		err := decode(string(raw), &d)
		me.declared = strings.Clone(d.FunctionName)
		return err
	case "artifacts":
		var list []struct {
			Digest string `json:"digest"`
		}
		if err := decode(string(raw), &list); err != nil {
			return err
		}
		if len(list) > 0 {
			me.digest = strings.Clone(list[0].Digest)
		}
	}
	return nil
}

// identify reads who a function is. What identifies it comes first in a report,
// so that its packages are not looked at.
func identify(raw []byte) (identity, error) {
	var me identity
	s := &splitter{buf: raw, end: true}
	if err := s.take('{'); err != nil {
		return me, err
	}
	named := false
	for first := true; ; first = false {
		more, err := s.more('}', first)
		if err != nil {
			return me, err
		}
		if !more {
			if !named {
				return me, errors.New("it has no name")
			}
			return me, nil
		}
		_, raw, err := s.value()
		if err != nil {
			return me, err
		}
		var key string
		if err := decode(string(raw), &key); err != nil {
			return me, err
		}
		if err := s.take(':'); err != nil {
			return me, err
		}
		if _, raw, err = s.value(); err != nil {
			return me, err
		}
		if err := me.take(key, raw); err != nil {
			return me, err
		}
		if named = named || me.name != ""; named && key == "artifacts" {
			return me, nil
		}
	}
}

// Load reads what the report says of the function.
func (s *Stored) Load() (*finding.Report, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	text, err := s.bytes()
	if err != nil {
		return nil, err
	}
	rep := &finding.Report{}
	if err := decode(text, rep); err != nil {
		return nil, err
	}
	if rep.Name != s.Name {
		return nil, errChanged
	}
	return rep, complete(rep)
}

// complete returns an error if a list is missing that every report has, if need
// be an empty one: no packages is what a function without any says, and not what
// one says that lost them.
func complete(rep *finding.Report) error {
	for _, list := range []struct {
		key     string
		missing bool
	}{
		{"artifacts", rep.Artifacts == nil}, {"components", rep.Components == nil}, {"unknowns", rep.Unknowns == nil},
		{"findings", rep.Findings == nil}, {"checks", rep.Checks == nil},
	} {
		if list.missing {
			return fmt.Errorf("it has no %q, which every report has: scan the function again", list.key)
		}
	}
	return nil
}

func (s *Stored) bytes() (string, error) {
	if s.text != nil {
		return string(s.text[s.at : s.at+int64(s.size)]), nil
	}
	f, err := open(s.File)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || s.info == nil || !unchanged(s.info, info) {
		return "", errors.Join(errChanged, err) // another run put a new set here: its bytes are not those that were found
	}
	var b strings.Builder
	b.Grow(s.size)
	if n, err := io.Copy(&b, io.NewSectionReader(f, s.at, int64(s.size))); err != nil || n < int64(s.size) {
		return "", errors.Join(errChanged, err)
	}
	return b.String(), nil
}
