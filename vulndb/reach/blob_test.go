package reach

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func gz(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const header = `{"name":"govulncheck-extract","version":"0.1.0"}` + "\n"

// TestForeignBlob holds that what another tool extracted, which says nothing
// of completeness, makes nothing absent.
func TestForeignBlob(t *testing.T) {
	body := `{"path":"example.com/fn","modules":[{"Path":"example.com/vuln","Version":"v1.0.0"}],"pkgSymbols":[{"pkg":"example.com/vuln/lib","name":"Inlined"}],"goVersion":"go1.26.8","goos":"linux","goarch":"amd64"}`
	res, err := checker(t).Check(t.Context(), Source{Blob: gz(t, header+body)}, forms(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range res.Answers {
		want := Unknown
		if a.ID == "GO-2026-Inlined" {
			want = Present
		}
		if a.State != want {
			t.Errorf("%+v", a)
		}
	}
}

func TestBrokenBlobs(t *testing.T) {
	big := strings.Repeat(" ", maxInflatedBlob)
	for name, b := range map[string][]byte{
		"no gzip": []byte("{}"), "no header": gz(t, "{}"), "other version": gz(t, strings.Replace(header, "0.1.0", "9", 1)+"{}"), "no body": gz(t, header),
		"three texts": gz(t, header+"{}{}"), "no JSON": gz(t, header+"{"), "wrong types": gz(t, header+`{"pkgSymbols":7}`),
		"truncated": gz(t, header+"{}")[:20], "inflates to too much": gz(t, header+big+"{}"), "too large": make([]byte, MaxBlob+1),
	} {
		if _, _, err := unpack(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestAnswers holds that a child's answer is taken only to what was asked.
func TestAnswers(t *testing.T) {
	list := forms(t)[:2]
	good := response{Answers: []Answer{{ID: list[0].ID, State: Absent}, {ID: list[1].ID, State: Present}}}
	encode := func(change func(*response)) []byte {
		r := good
		r.Answers = append([]Answer{}, good.Answers...)
		change(&r)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if _, err := read(encode(func(*response) {}), list); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*response){
		"fewer":   func(r *response) { r.Answers = r.Answers[:1] },
		"swapped": func(r *response) { r.Answers[0], r.Answers[1] = r.Answers[1], r.Answers[0] },
		"state":   func(r *response) { r.Answers[0].State = "called" },
		"blob":    func(r *response) { r.Blob = make([]byte, MaxBlob+1) },
		"list":    func(r *response) { r.Answers[0].Found = make([]string, maxListed+1) },
	} {
		if _, err := read(encode(change), list); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := read([]byte("{"), list); err == nil {
		t.Error("half an answer: no error")
	}
}

// TestStranger holds that the hidden command does nothing for anybody else.
func TestStranger(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, request := range map[string]string{
		"none": "", "no JSON": "{", "other token": `{"Token":"00000000000000000000000000000000","Parent":1}`,
		"other parent": `{"Token":"0123456789abcdef0123456789abcdef","Parent":1}`,
	} {
		os.Remove(requestFile)
		if request != "" {
			if err := os.WriteFile(requestFile, []byte(request), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out, messages bytes.Buffer
		if code := Child(&out, &messages, func(string) string { return "0123456789abcdef0123456789abcdef" }); code != 2 || out.Len() > 0 || !strings.Contains(messages.String(), "started by fnaudit itself") {
			t.Errorf("%s: %d, %q, %q", name, code, out.String(), messages.String())
		}
	}
}

// TestSweep removes what a killed run left, and only that.
func TestSweep(t *testing.T) {
	c := checker(t)
	old, young, other := filepath.Join(c.TempDir, dirPrefix+"1"), filepath.Join(c.TempDir, dirPrefix+"2"), filepath.Join(c.TempDir, "other")
	for _, d := range []string{old, young, other} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-2 * staleAfter)
	for _, d := range []string{old, other} {
		if err := os.Chtimes(d, past, past); err != nil {
			t.Fatal(err)
		}
	}
	c.sweepOld()
	for d, want := range map[string]bool{old: false, young: true, other: true} {
		if _, err := os.Stat(d); (err == nil) != want {
			t.Errorf("%s: %v", d, err)
		}
	}
}

// TestExport writes the layout, and no file outside of it for an odd id.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	list := forms(t)
	list[0].ID = "../../evil"
	list[1].ID = ""
	if err := export(filepath.Join(dir, "db"), list); err != nil {
		t.Fatal(err)
	}
	var index []struct {
		Path  string
		Vulns []struct{ ID string }
	}
	b, err := os.ReadFile(filepath.Join(dir, "db", "index", "modules.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &index); err != nil || len(index) != 1 || index[0].Path != "example.com/vuln" || len(index[0].Vulns) != len(list)-2 {
		t.Errorf("%v %s", err, b)
	}
	files, err := os.ReadDir(filepath.Join(dir, "db", "ID"))
	if err != nil || len(files) != len(list)-2 {
		t.Errorf("%v %v", err, files)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte(header + `{"pkgSymbols":[{"pkg":"a","name":"b"}],"fnaudit":{"stripped":true}}`))
	f.Add([]byte(header + `{"fnaudit":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, _, err := unpack(gz(t, string(text)))
		if err != nil {
			return
		}
		if !bytes.Contains(text, []byte("fnaudit")) && b.Table.Partial == "" && !bytes.Contains(bytes.ToLower(text), []byte("fnaudit")) {
			t.Error("symbols of unknown completeness pass for all")
		}
		newIndex(b).judge(forms(t)[0], "module")
	})
}
