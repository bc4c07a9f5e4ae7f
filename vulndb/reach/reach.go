package reach

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

// Checker looks into Go binaries, each in a child process. It is safe for
// concurrent use. The zero value has no program to start and returns an error.
type Checker struct {
	// Program is the file of this program, which asks IsChild first in its
	// main function; Self is the usual one. Any other program would be run
	// for what it is.
	Program string

	TempDir   string        // where private directories are made; "": the system's
	MaxBinary int64         // bytes of one binary; 0: 512 MiB
	Timeout   time.Duration // of one child; 0: 30 s
	Children  int           // at the same time; more calls of Check wait. 0: as many as there are processors

	sweep sync.Once
	slots chan struct{} // of Children
	mu    sync.Mutex
	known map[string]*Result // by digest of the binary and of the question
}

// maxKnown is how many results a Checker remembers, for binaries that many
// functions share.
const maxKnown = 64

// limits confine a child. They are sent with the request.
type limits struct {
	Memory  int64 // bytes of data
	CPU     int64 // seconds
	Written int64 // bytes of one file
}

// maxOutput bounds what a child may print, maxMessages what it may complain.
const (
	maxOutput   = 64 << 20
	maxMessages = 4 << 10
)

// Source is what is looked into: a binary, or the blob of an earlier check.
type Source struct {
	Binary io.Reader // read once, to its end; nil: Blob
	Blob   []byte    // Result.Blob of an earlier check
}

// Result is what a binary says. It may be shared: do not change it.
type Result struct {
	Digest    string   // "sha256:…" of the binary; "" for a blob
	Blob      []byte   // to keep: compressed, what a later Check needs instead of the binary; nil when it is over MaxBlob
	Stripped  bool     // it has no symbol table
	Partial   string   // why a symbol that was not found may still be there; "" when it cannot
	Functions int      // in its function table
	Go        string   // toolchain: "go1.26.8"
	Answers   []Answer // in the order of the advisories
}

// Check says which of the advisories' code is in a binary. An error means that
// nothing is known; ctx's, when it is done.
func (c *Checker) Check(ctx context.Context, src Source, advisories []*vulndb.Advisory) (*Result, error) {
	if c.Program == "" {
		return nil, errors.New("check reachability: no program to start")
	}
	c.sweep.Do(c.prepare)
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	limit := c.Timeout
	if limit <= 0 {
		limit = 30 * time.Second
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := c.check(timed, src, advisories, limits{Memory: 2 << 30, CPU: int64(limit/time.Second) + 1, Written: 1 << 30})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case timed.Err() != nil:
		return nil, fmt.Errorf("check reachability: not done after %s", limit)
	case err != nil:
		return nil, fmt.Errorf("check reachability: %w", err)
	}
	return res, nil
}

func (c *Checker) check(ctx context.Context, src Source, advisories []*vulndb.Advisory, lim limits) (*Result, error) {
	dir, err := os.MkdirTemp(c.TempDir, dirPrefix) // mode 0700
	if err != nil {
		return nil, fmt.Errorf("make private directory: %w", err)
	}
	defer os.RemoveAll(dir)
	req := request{Parent: os.Getpid(), Blob: src.Blob, Limits: lim, Advisories: advisories}
	if req.Token, err = token(); err != nil {
		return nil, err
	}
	cmd := exec.Cmd{Path: c.Program, Args: []string{c.Program, command}, Dir: dir, Env: environment(dir, req.Token)}
	digest, key := "", ""
	if src.Binary != nil {
		req.Blob = nil
		file, sum, err := c.hand(dir, src.Binary)
		if err != nil {
			return nil, err
		}
		digest, key = sum, keyOf(sum, advisories)
		if file != nil { // else it lies in dir
			defer file.Close()
			cmd.ExtraFiles, req.File = []*os.File{file}, 3
		}
	} else if src.Blob == nil {
		return nil, errors.New("neither a binary nor a blob")
	} else {
		sum := sha256.Sum256(src.Blob)
		key = keyOf("blob "+hex.EncodeToString(sum[:]), advisories)
	}
	if res := c.recall(key); res != nil {
		return res, nil
	}
	if err := export(filepath.Join(dir, dbDir), advisories); err != nil {
		return nil, err
	}
	if err := writeJSON(filepath.Join(dir, requestFile), req); err != nil {
		return nil, err
	}
	out, err := run(ctx, &cmd)
	if err != nil {
		return nil, err
	}
	res, err := read(out, advisories)
	if err != nil {
		return nil, err
	}
	res.Digest = digest
	c.remember(key, res)
	return res, nil
}

// keyOf identifies a question. Advisories of one id and time are the same.
func keyOf(digest string, advisories []*vulndb.Advisory) string {
	h := sha256.New()
	for _, a := range advisories {
		fmt.Fprintf(h, "%q %d\n", a.ID, a.Modified.UnixNano())
	}
	return digest + " " + hex.EncodeToString(h.Sum(nil))
}

func (c *Checker) recall(key string) *Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[key]
}

func (c *Checker) remember(key string, res *Result) {
	if key == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxKnown {
		c.known = map[string]*Result{}
	}
	c.known[key] = res
}

// environment is all that a child gets. Without a PATH x/vuln cannot run "go
// env", which it would do with the caller's settings; without a HOME libraries
// would ask the system's user database when they are loaded, over a socket. It
// lives for a fraction of a second and as many run as there are processors, so
// one is enough for it, and its garbage need not be collected often.
func environment(dir, token string) []string {
	return []string{"PATH=", tokenName + "=" + token, "TMPDIR=" + dir, "TMP=" + dir, "HOME=" + dir, "USERPROFILE=" + dir, "GOMEMLIMIT=1GiB", "GOGC=400", "GOMAXPROCS=1", "GOTRACEBACK=none", "GOTELEMETRY=off"}
}

func token() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// run starts the child and returns what it printed. The thread that starts it
// is kept until the child ends: on Linux the child is killed when that thread
// dies (prctl(2), PR_SET_PDEATHSIG).
func run(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &limited{w: &out, left: maxOutput}, &limited{w: &messages, left: maxMessages, quiet: true}
	release, err := isolate(cmd)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start child: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	defer stop()
	if err := cmd.Wait(); err != nil {
		if text := strings.TrimSpace(messages.String()); text != "" {
			first, _, _ := strings.Cut(text, "\n")
			return nil, fmt.Errorf("%s (%w)", first, err)
		}
		return nil, fmt.Errorf("child: %w", err)
	}
	return out.Bytes(), nil
}

// read checks a response: the child is our own program, but it has read
// hostile bytes.
func read(out []byte, advisories []*vulndb.Advisory) (*Result, error) {
	var res response
	if err := json.Unmarshal(out, &res); err != nil {
		return nil, fmt.Errorf("read the child's answer: %w", err)
	}
	if len(res.Answers) != len(advisories) || len(res.Blob) > MaxBlob {
		return nil, errors.New("read the child's answer: it is not to what was asked")
	}
	for i, a := range res.Answers {
		if a.ID != advisories[i].ID || a.State != Present && a.State != Absent && a.State != Unknown || len(a.Looked) > maxListed || len(a.Found) > maxListed {
			return nil, errors.New("read the child's answer: it is not to what was asked")
		}
	}
	return &Result{
		Blob: res.Blob, Stripped: res.Table.Stripped, Partial: res.Table.Partial, Functions: res.Table.Functions, Go: res.Go, Answers: res.Answers,
	}, nil
}

// hand puts the binary where the child can read it: an open file that has no
// name, or the private directory, when file is nil. It returns its digest.
func (c *Checker) hand(dir string, r io.Reader) (file *os.File, digest string, err error) {
	most := c.MaxBinary
	if most <= 0 {
		most = 512 << 20
	}
	f, err := anonymous()
	named := f == nil && err == nil
	if named {
		f, err = os.OpenFile(filepath.Join(dir, inputFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	}
	if err != nil {
		return nil, "", fmt.Errorf("hand over binary: %w", err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, most+1))
	if err == nil && n > most {
		err = fmt.Errorf("over %d bytes", most)
	}
	if err != nil {
		f.Close()
		return nil, "", fmt.Errorf("hand over binary: %w", err)
	}
	digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	if named {
		return nil, digest, f.Close()
	}
	return f, digest, nil
}

// dirPrefix begins the names of private directories, and staleAfter is the age
// at which one must be left over from a process that was killed.
const (
	dirPrefix  = "fnaudit-reach-"
	staleAfter = time.Hour
)

// prepare is done once, before the first child.
func (c *Checker) prepare() {
	n := c.Children
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	c.slots = make(chan struct{}, n)
	c.sweepOld()
}

// sweepOld removes private directories that killed processes left. What cannot
// be removed is somebody else's.
func (c *Checker) sweepOld() {
	dir := c.TempDir
	if dir == "" {
		dir = os.TempDir()
	}
	old, err := filepath.Glob(filepath.Join(dir, dirPrefix+"*"))
	if err != nil {
		return
	}
	for _, name := range old {
		st, err := os.Lstat(name)
		if err == nil && st.IsDir() && st.Mode()&fs.ModeSymlink == 0 && time.Since(st.ModTime()) > staleAfter {
			os.RemoveAll(name)
		}
	}
}

// limited passes on so many bytes; more is an error, or dropped when quiet.
type limited struct {
	w     io.Writer
	left  int
	quiet bool
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		if !l.quiet {
			return 0, fmt.Errorf("more than %d bytes of output", maxOutput)
		}
		l.w.Write(p[:l.left])
		l.left = 0
		return len(p), nil
	}
	l.left -= len(p)
	return l.w.Write(p)
}
