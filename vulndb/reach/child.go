package reach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/vuln/scan"

	"github.com/fnaudit/fnaudit/vulndb"
)

// command is the hidden first argument of a child, tokenName the variable that
// proves who started it.
const (
	command   = "__reach"
	tokenName = "FNAUDIT_REACH"
)

// Names in the child's working directory.
const (
	requestFile = "request.json"
	inputFile   = "input" // the binary, where it is not passed as an open file
	blobFile    = "blob"
	dbDir       = "db"
)

// request is what the parent asks of the child.
type request struct {
	Token      string // as in the environment
	Parent     int    // process id
	Blob       []byte // of an earlier check; nil: the binary
	File       int    // descriptor of the binary; 0: the file "input"
	Limits     limits
	Advisories []*vulndb.Advisory
}

// response is what the child prints.
type response struct {
	Blob     []byte // packed
	Table    about
	Go, OS   string
	Arch     string
	Answers  []Answer
	Problems []string
}

// IsChild says whether the program was started as a child of Check. The main
// function of every program that uses Check must ask it first:
//
//	if reach.IsChild(os.Args) {
//		os.Exit(reach.Child(os.Stdout, os.Stderr, os.Getenv))
//	}
func IsChild(args []string) bool { return len(args) == 2 && args[1] == command }

// Child is the other side of Check: it reads its request from the working
// directory, checks, writes the response to out, and returns the exit code.
// It refuses to run when it was not started by Check.
func Child(out, messages io.Writer, getenv func(string) string) int {
	req, err := accept(getenv(tokenName))
	if err != nil {
		fmt.Fprintf(messages, "fnaudit: %s is started by fnaudit itself, when it looks into Go binaries: %v\n", command, err)
		return 2
	}
	if err := confine(req.Limits); err != nil {
		fmt.Fprintf(messages, "confine: %v\n", err)
		return 2
	}
	res, err := answer(req)
	if err != nil {
		fmt.Fprintln(messages, err)
		return 1
	}
	if err := json.NewEncoder(out).Encode(res); err != nil {
		return 1
	}
	return 0
}

// accept reads the request, if it is one of the parent's.
func accept(token string) (*request, error) {
	if len(token) < 32 {
		return nil, errors.New("no token")
	}
	b, err := os.ReadFile(requestFile)
	if err != nil {
		return nil, errors.New("no request in the working directory")
	}
	var req request
	if err := json.Unmarshal(b, &req); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if req.Token != token || req.Parent != os.Getppid() {
		return nil, errors.New("the request is for another process")
	}
	return &req, nil
}

func answer(req *request) (res *response, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read binary: %v", r)
		}
	}()
	b, plain, packed, err := load(req)
	if err != nil {
		return nil, err
	}
	res = &response{Blob: packed, Table: b.Table, Go: b.GoVersion, OS: b.GOOS, Arch: b.GOARCH}
	res.Table.Data, res.Table.Inlined = nil, nil
	if len(packed) > MaxBlob {
		res.Blob = nil // too large to keep: a rescan will not know
	}
	if len(req.Advisories) == 0 {
		return res, nil
	}
	if err := os.WriteFile(blobFile, plain, 0o600); err != nil {
		return nil, fmt.Errorf("write blob: %w", err)
	}
	levels, err := govulncheck(blobFile, dbDir)
	if err != nil {
		return nil, err
	}
	ix := newIndex(b)
	for _, a := range req.Advisories {
		res.Answers = append(res.Answers, ix.judge(a, levels[a.ID]))
	}
	return res, nil
}

func load(req *request) (b *program, plain, packed []byte, err error) {
	if req.Blob != nil {
		b, plain, err = unpack(req.Blob)
		return b, plain, req.Blob, err
	}
	f := os.NewFile(uintptr(req.File), inputFile)
	if req.File == 0 {
		if f, err = os.Open(inputFile); err != nil {
			return nil, nil, nil, fmt.Errorf("open binary: %w", err)
		}
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("open binary: %w", err)
	}
	if b, err = extract(f, st.Size()); err != nil {
		return nil, nil, nil, err
	}
	plain, packed, err = b.pack()
	return b, plain, packed, err
}

// govulncheck runs x/vuln on a blob and returns, for each advisory that it
// calls affected, how much of it was found: "module", "package" or "symbol".
func govulncheck(blob, db string) (map[string]string, error) {
	dir, err := filepath.Abs(db)
	if err != nil {
		return nil, fmt.Errorf("run govulncheck: %w", err)
	}
	dir = filepath.ToSlash(dir)
	if !strings.HasPrefix(dir, "/") {
		dir = "/" + dir // C:/x is file:///C:/x
	}
	source := url.URL{Scheme: "file", Path: dir}
	var out, messages bytes.Buffer
	c := scan.Command(context.Background(), "-mode", "binary", "-db", source.String(), "-format", "json", blob)
	c.Stdin, c.Stdout, c.Stderr, c.Env = strings.NewReader(""), &out, &messages, []string{}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("run govulncheck: %w", err)
	}
	if err := c.Wait(); err != nil {
		return nil, fmt.Errorf("run govulncheck: %w", err)
	}
	return readLevels(&out)
}

// message is the part of govulncheck's output that is read
// (golang.org/x/vuln/internal/govulncheck, Message and Finding).
type message struct {
	Finding *struct {
		OSV   string `json:"osv"`
		Trace []struct {
			Package  string `json:"package"`
			Function string `json:"function"`
		} `json:"trace"`
	} `json:"finding"`
}

func readLevels(r io.Reader) (map[string]string, error) {
	rank := map[string]int{"module": 1, "package": 2, "symbol": 3}
	levels := map[string]string{}
	dec := json.NewDecoder(r)
	for {
		var m message
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return levels, nil
		} else if err != nil {
			return nil, fmt.Errorf("read govulncheck's output: %w", err)
		}
		if m.Finding == nil || len(m.Finding.Trace) == 0 {
			continue
		}
		level := "module"
		switch at := m.Finding.Trace[0]; {
		case at.Function != "":
			level = "symbol"
		case at.Package != "":
			level = "package"
		}
		if rank[level] > rank[levels[m.Finding.OSV]] {
			levels[m.Finding.OSV] = level
		}
	}
}
