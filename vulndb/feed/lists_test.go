package feed

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
)

const kevHead = `{"title":"a catalogue","catalogVersion":"2026.05.01","dateReleased":"2026-05-01T15:00:11.4321Z",`

// kevOf makes a catalogue of entries.
func kevOf(cves ...string) string {
	var entries []string
	for i, cve := range cves {
		use := "Unknown"
		if i == 0 {
			use = "Known"
		}
		entries = append(entries, fmt.Sprintf(`{"cveID":%q,"vendorProject":"Acme","product":"Anvil","dateAdded":"2026-04-%02d","dueDate":"2026-05-20","knownRansomwareCampaignUse":%q,"cwes":["CWE-78"],"notes":"https://x.example/ ; {}"}`, cve, 1+i%28, use))
	}
	return kevHead + fmt.Sprintf(`"count":%d,"vulnerabilities":[%s]}`, len(cves), strings.Join(entries, ","))
}

const epssHead = "#model_version:v2026.03.14,score_date:2026-05-02T00:00:00Z\ncve,epss,percentile\n"

func packed(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.String()
}

func TestParseKEV(t *testing.T) {
	l, at, err := parseKEV(strings.NewReader(kevOf("CVE-2021-44228", "CVE-2014-0160")))
	if err != nil || l == nil || !at.Equal(time.Date(2026, 5, 1, 15, 0, 11, 432_100_000, time.UTC)) {
		t.Fatal(at, err)
	}
	one := kevOf("CVE-2021-44228")
	if _, _, err := parseKEV(strings.NewReader("\ufeff" + one)); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "no object"},
		"a list":         {"[]", "no object"},
		"no list":        {kevHead + `"count":0}`, "no list of vulnerabilities"},
		"list of text":   {kevHead + `"vulnerabilities":"x"}`, "no list"},
		"cut off":        {one[:len(one)-10], "EOF"},
		"cut off, shut":  {strings.Replace(one, `"count":1`, `"count":2`, 1), "says that it has 2 entries, and has 1"},
		"twice a key":    {strings.Replace(one, `"count":1`, `"count":1,"count":1`, 1), `"count" comes twice`},
		"twice in entry": {strings.Replace(one, `"product":"Anvil"`, `"cveID":"CVE-2020-0001"`, 1), `"cveID" comes twice`},
		"escaped twice":  {strings.Replace(one, `"product":"Anvil"`, `"cve\u0049D":"CVE-2020-0001"`, 1), `"cveID" comes twice`},
		"no CVE":         {kevOf("GHSA-1"), "is no CVE"},
		"number for id":  {strings.Replace(one, `"CVE-2021-44228"`, `7`, 1), "no text"},
		"no id":          {strings.Replace(one, `"cveID"`, `"cveId"`, 1), "is no CVE"},
		"not released":   {strings.Replace(one, "dateReleased", "dateX", 1), "when it was released"},
		"no such day":    {strings.Replace(one, "2026-04-01", "2026-02-30", 1), "dateAdded"},
		"absurd day":     {strings.Replace(one, "2026-04-01", "0001-01-02", 1), "cannot be"},
		"added later":    {strings.Replace(one, "2026-04-01", "2026-05-09", 1), "has an entry of 2026-05-09"},
		"due ever after": {strings.Replace(one, "2026-05-20", "9999-12-31", 1), "due day"},
		"bad UTF-8":      {strings.Replace(one, "Acme", "\xff\xfe", 1), "UTF-8"},
		"more behind":    {one + "{}", "behind its end"},
		"deep":           {kevHead + `"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "," + one[1:], "depth"},
		"half a number":  {strings.Replace(one, `"count":1`, `"count":1.5`, 1), "count"},
	} {
		if _, _, err := parseKEV(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestParseEPSS(t *testing.T) {
	for name, text := range map[string]string{
		"as it is":   epssHead + "CVE-2021-44228,0.94358,0.99957\nCVE-1999-0001,1e-05,0\n",
		"CRLF":       strings.ReplaceAll(epssHead, "\n", "\r\n") + "CVE-2021-44228,0.9,1\r\n",
		"old date":   strings.Replace(epssHead, "00:00:00Z", "00:00:00+0000", 1) + "CVE-2021-44228,0.9,1\n",
		"a day":      strings.Replace(epssHead, "T00:00:00Z", "", 1) + "CVE-2021-44228,0.9,1\n",
		"mark":       "\ufeff" + epssHead + "CVE-2021-44228,0.9,1\n",
		"new column": strings.Replace(epssHead, "percentile", "percentile,lev", 1) + "CVE-2021-44228,0.9,1,x\n",
	} {
		if l, at, err := parseEPSS(strings.NewReader(text)); err != nil || l == nil || !at.Equal(time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %v, %v", name, at, err)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":         {"", "before its first score"},
		"head only":     {"#score_date:2026-05-02T00:00:00Z\n", "before its first score"},
		"no date":       {"cve,epss,percentile\nCVE-2021-1234,0.1,0.1\n", "line 1"},
		"bad date":      {strings.Replace(epssHead, "2026-05-02T", "tomorrow", 1) + "CVE-2021-1234,0.1,0.1\n", "no time"},
		"other columns": {strings.Replace(epssHead, "epss,percentile", "percentile,epss", 1), "line 2"},
		"NaN":           {epssHead + "CVE-2021-1234,NaN,0.1\n", "line 3"},
		"infinite":      {epssHead + "CVE-2021-1234,0.1,Inf\n", "line 3"},
		"over 1":        {epssHead + "CVE-2021-1234,1.1,0.1\n", "not between 0 and 1"},
		"overflow":      {epssHead + "CVE-2021-1234,1e999,0.1\n", "no number"},
		"negative":      {epssHead + "CVE-2021-1234,-0.1,0.1\n", "not between 0 and 1"},
		"hexadecimal":   {epssHead + "CVE-2021-1234,0x1p-2,0.1\n", "no number"},
		"no score":      {epssHead + "CVE-2021-1234,,0.1\n", "no number"},
		"few fields":    {epssHead + "CVE-2021-1234,0.1\n", "2 fields, not 3"},
		"many fields":   {epssHead + "CVE-2021-1234,0.1,0.1,0.1\n", "4 fields, not 3"},
		"no CVE":        {epssHead + "\xff\xfe,0.1,0.1\n", "is no CVE"},
		"empty line":    {epssHead + "\n", "1 fields, not 3"},
		"cut off":       {epssHead + "CVE-2021-1234,0.1,0.1", "line 3: it is cut off"},
		"long line":     {epssHead + strings.Repeat("x", 1<<20), "over 4096 bytes"},
	} {
		if _, _, err := parseEPSS(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "line ") > 1 {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// asked makes options that read npm of a folder, and the lists from places.
func withLists(from, kev, epss string) Options {
	o := options(from)
	o.Feeds = []vulndb.Origin{{Name: vulndb.FeedKEV, From: kev}, {Name: vulndb.FeedEPSS, From: epss}}
	return o
}

// names says which lists a snapshot has, and as of which days.
func names(s vulndb.Snapshot) string {
	var list []string
	for _, f := range s.Feeds {
		list = append(list, f.Name+" "+f.AsOf.Format(time.DateOnly))
	}
	return strings.Join(list, ", ")
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func osvFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "npm"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "npm", "A.json"), recordOf("A", "npm", "left"))
	return dir
}

func TestListsOfFolder(t *testing.T) {
	from, dir := osvFolder(t), t.TempDir()
	var told []string
	update := func(o Options) (vulndb.Snapshot, error) {
		o.Notice = func(s string) { told = append(told, s) }
		return Update(context.Background(), dir, o)
	}
	bare, err := update(withLists(from, "", ""))
	if err != nil || len(bare.Feeds) > 0 {
		t.Fatal(bare.Feeds, err)
	}
	write(t, filepath.Join(from, "kev.json"), kevOf("CVE-2021-44228"))
	epss := write(t, filepath.Join(from, "epss_scores-current.csv.gz"), packed(epssHead+"CVE-2021-44228,0.9,0.99\n"))
	s, err := update(withLists("", "", ""))
	if err != nil || names(s) != "epss 2026-05-02, kev 2026-05-01" || s.ID == bare.ID || len(told) > 0 {
		t.Fatal(names(s), err, told)
	}
	// Whether it is packed is nothing to the list.
	os.Remove(epss)
	write(t, filepath.Join(from, "epss.csv"), epssHead+"CVE-2021-44228,0.9,0.99\n")
	if again, err := update(withLists("", "", "")); err != nil || again.ID != s.ID {
		t.Error(names(again), err)
	}
	// Two of them cannot both hold; the store keeps what it has, and the advisories come all the same.
	write(t, filepath.Join(from, "known_exploited_vulnerabilities.json"), kevOf("CVE-2021-44228"))
	if _, err := (withLists("", "", "")).FeedPlaces(s); err == nil || !strings.Contains(err.Error(), "only one of them") {
		t.Error(err)
	}
	os.Remove(filepath.Join(from, "known_exploited_vulnerabilities.json"))
	// What is broken leaves what there was, and says so.
	write(t, filepath.Join(from, "kev.json"), kevOf("CVE-2021-44228", "CVE-2021-44228"))
	write(t, filepath.Join(from, "npm", "B.json"), recordOf("B", "npm", "left"))
	next, err := update(withLists("", "", ""))
	if !errors.Is(err, ErrList) || !strings.Contains(err.Error(), "CVE-2021-44228 is listed twice") || names(next) != names(s) || matches(t, dir, "npm", "left") != 2 {
		t.Error(names(next), err)
	}
	// One that is gone stays in the store until it is not wanted any more; that is remembered.
	os.Remove(filepath.Join(from, "kev.json"))
	if next, err = update(withLists("", "", "")); err != nil || names(next) != names(s) {
		t.Error(names(next), err)
	}
	write(t, filepath.Join(from, "kev.json"), kevOf("CVE-2021-44228"))
	for _, asked := range []string{vulndb.NoFeed, ""} {
		if next, err = update(withLists(from, asked, "")); err != nil || names(next) != "epss 2026-05-02" {
			t.Error(names(next), err)
		}
	}
	// A file of its own is remembered, too, also when it is asked for offline.
	mine := write(t, filepath.Join(t.TempDir(), "mine"), packed(kevOf("CVE-2021-44228", "CVE-2021-44229")))
	for _, asked := range []string{mine, ""} {
		o := withLists("", asked, "")
		o.Offline = true
		if next, err = update(o); err != nil || names(next) != "epss 2026-05-02, kev 2026-05-01" || next.FeedOrigin(vulndb.FeedKEV) != mine {
			t.Error(names(next), next.FeedOrigins, err)
		}
	}
	// Nothing about lists is asked: they stay.
	if s, err := update(options("")); err != nil || s.ID != next.ID {
		t.Error(names(s), err)
	}
}

func TestListsRefused(t *testing.T) {
	from, dir := osvFolder(t), t.TempDir()
	path := filepath.Join(t.TempDir(), "list")
	whole := packed(epssHead + "CVE-2021-44228,0.9,0.99\n")
	for name, c := range map[string]struct{ text, want string }{
		"gzip cut off":   {whole[:len(whole)-9], "unexpected EOF"},
		"gzip checksum":  {whole[:len(whole)-8] + "\x00\x00\x00\x00" + whole[len(whole)-4:], "checksum"},
		"behind gzip":    {whole + strings.Repeat("rubbish", 9), "invalid header"},
		"future":         {strings.Replace(epssHead, "2026-05", "2026-07", 1) + "CVE-2021-44228,0.9,0.99\n", "dated 2026-07-02"},
		"long ago":       {strings.Replace(epssHead, "2026-05", "1970-05", 1) + "CVE-2021-44228,0.9,0.99\n", "dated 1970"},
		"of other kind":  {kevOf("CVE-2021-44228"), "line 1"},
		"nothing in it":  {epssHead, "no entry"},
		"an HTML page":   {"<html>\n", "line 1"},
		"without an end": {packed(epssHead + strings.Repeat("x", 1<<20)), "over 4096 bytes"},
	} {
		write(t, path, c.text)
		s, err := Update(context.Background(), dir, withLists(from, vulndb.NoFeed, path))
		if !errors.Is(err, ErrList) || !strings.Contains(err.Error(), c.want) || len(s.Sources) != 1 || len(s.Feeds) > 0 {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Update(context.Background(), dir, withLists(from, vulndb.NoFeed, filepath.Join(from, "none"))); !errors.Is(err, ErrList) {
		t.Error(err)
	}
	if _, err := Update(context.Background(), dir, withLists(from, vulndb.NoFeed, from)); !errors.Is(err, ErrList) {
		t.Error(err)
	}
	var none bounded = bounded{strings.NewReader("xxx"), 2}
	if _, err := none.Read(make([]byte, 3)); err == nil {
		t.Error("read more than the bound")
	}
}

func TestListsOfServer(t *testing.T) {
	from, dir := osvFolder(t), t.TempDir()
	body, status, tag := kevOf("CVE-2021-44228"), 200, `"1"`
	var got []http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Clone())
		if r.URL.Path == "/current" {
			http.Redirect(w, r, "/kev?token=2", http.StatusFound)
			return
		}
		if tag != "" {
			w.Header().Set("ETag", tag)
		} else {
			w.Header().Set("Last-Modified", "Fri, 01 May 2026 16:00:00 GMT")
		}
		if status == 200 && (tag != "" && r.Header.Get("If-None-Match") == tag || tag == "" && r.Header.Get("If-Modified-Since") != "") {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.WriteHeader(status)
		w.Write([]byte(body))
	}))
	defer srv.Close()
	address := strings.Replace(srv.URL, "http://", "http://user:secret@", 1) + "/current?token=1"
	update := func(kev string) (vulndb.Snapshot, error) {
		got = nil
		return Update(context.Background(), dir, withLists(from, kev, ""))
	}
	s, err := update(address)
	if err != nil || names(s) != "kev 2026-05-01" || s.Feeds[0].URL != srv.URL+"/current" || s.Feeds[0].ETag != `"1"` {
		t.Fatalf("%+v, %v", s.Feeds, err)
	}
	if got[0].Get("Authorization") == "" || got[0].Get("Accept-Encoding") != "identity" {
		t.Error(got)
	}
	// It is remembered, and not fetched again.
	if again, err := update(""); err != nil || again.ID != s.ID || got[len(got)-1].Get("If-None-Match") != `"1"` {
		t.Error(got, err)
	}
	tag, body = "", kevOf("CVE-2021-44228", "CVE-2021-44229")
	if s, err = update(address); err != nil || s.Feeds[0].Records != 2 || s.Feeds[0].Modified == "" {
		t.Error(s.Feeds, err)
	}
	if s, err = update(address); err != nil || got[len(got)-1].Get("If-Modified-Since") != "Fri, 01 May 2026 16:00:00 GMT" {
		t.Error(got, err)
	}
	// A file that was damaged is fetched whole.
	write(t, s.Feeds[0].Path(dir), "damage")
	if s, err = update(address); err != nil || got[len(got)-1].Get("If-Modified-Since") != "" {
		t.Error(got, err)
	}
	if damage, err := vulndb.Check(context.Background(), dir); err != nil || len(damage) > 0 {
		t.Error(damage, err)
	}
	// What fails leaves it, and neither password nor token is said.
	tag = `"2"`
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"error":    {500, "", "500"},
		"gone":     {404, "", "not found"},
		"blocked":  {403, "<html>", "403"},
		"a page":   {200, "<html>", "no object"},
		"replayed": {200, strings.Replace(kevOf("CVE-2021-44228", "CVE-2021-44229"), "2026-05-01", "2026-04-30", 1), "older than before"},
		"fewer":    {200, kevHead + `"count":0,"vulnerabilities":[]}`, "no entry"},
		"unasked":  {304, "", "nothing changed since a state that was not named"},
	} {
		status, body = c.status, c.body
		if c.status == 304 {
			write(t, s.Feeds[0].Path(dir), "damage")
		}
		now, err := update(address)
		if !errors.Is(err, ErrList) || !strings.Contains(err.Error(), c.want) || now.ID != s.ID {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "token")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A damaged list that nobody reads again is said.
	if err := os.Remove(s.Feeds[0].Path(dir)); err != nil {
		t.Fatal(err)
	}
	o := withLists(from, "", "")
	u, err := vulndb.Begin(context.Background(), dir, vulndb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	u.SetFeedOrigin(vulndb.FeedKEV, "")
	if _, err := u.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	u.Close()
	if _, err := Update(context.Background(), dir, o); !errors.Is(err, ErrList) || !strings.Contains(err.Error(), "--kev none drops it") {
		t.Error(err)
	}
	// Off the network is off the network.
	o = withLists(from, address, "")
	o.Offline = true
	if _, err := o.FeedPlaces(s); !errors.Is(err, ErrOffline) {
		t.Error(err)
	}
}

// TestListPlaces: which places are read when nobody names one.
func TestListPlaces(t *testing.T) {
	folder := osvFolder(t)
	write(t, filepath.Join(folder, "kev.json"), "{}")
	remembered := vulndb.Snapshot{FeedOrigins: []vulndb.Origin{{Name: vulndb.FeedKEV, From: "https://lists.example/kev"}}}
	dropped := vulndb.Snapshot{FeedOrigins: []vulndb.Origin{{Name: vulndb.FeedKEV, From: vulndb.NoFeed}}}
	file := filepath.Join(folder, "kev.json")
	for name, c := range map[string]struct {
		from     string
		previous vulndb.Snapshot
		want     []string
	}{
		"OSV's":                {"", vulndb.Snapshot{}, []string{DefaultKEV, DefaultEPSS}},
		"a mirror":             {"https://mirror.example", vulndb.Snapshot{}, []string{"", ""}},
		"a folder":             {folder, vulndb.Snapshot{}, []string{file, ""}},
		"remembered":           {"", remembered, []string{"https://lists.example/kev", DefaultEPSS}},
		"remembered, mirror":   {"https://mirror.example", remembered, []string{"https://lists.example/kev", ""}},
		"a folder that has it": {folder, remembered, []string{file, ""}},
		"a folder without":     {osvFolder(t), remembered, []string{"https://lists.example/kev", ""}},
		"not wanted":           {folder, dropped, []string{vulndb.NoFeed, ""}},
	} {
		places, err := withLists(c.from, "", "").FeedPlaces(c.previous)
		var got []string
		for _, p := range places {
			got = append(got, p.From)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if places, err := options("").FeedPlaces(remembered); places != nil || err != nil {
		t.Error(places, err)
	}
}

// TestListsUnreachable: where OSV's export gives no answer, the public addresses
// of the lists are not tried; another one is.
func TestListsUnreachable(t *testing.T) {
	dir := t.TempDir()
	asked := map[string]int{}
	o := withLists("", "", "")
	o.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked[r.URL.Host]++
		return dialer{errors.New("x")}.RoundTrip(r)
	})}
	o.Ecosystems, o.Attempts = []string{"npm"}, 1
	if _, err := Update(context.Background(), dir, o); err == nil {
		t.Error("no error")
	}
	silent := o
	silent.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked[r.URL.Host]++
		return nil, fmt.Errorf("%w", &unreachable{})
	})}
	asked = map[string]int{}
	_, err := Update(context.Background(), dir, silent)
	if len(asked) != 1 || strings.Count(fmt.Sprint(err), "not tried, for the same reason") != 2 {
		t.Errorf("%v: %v", asked, err)
	}
	if _, err := vulndb.ReadSnapshot(dir); !errors.Is(err, vulndb.ErrNoStore) {
		t.Error("lists alone are no store:", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// unreachable is a failure of the network.
type unreachable struct{}

func (*unreachable) Error() string   { return "no route" }
func (*unreachable) Timeout() bool   { return true }
func (*unreachable) Temporary() bool { return true }

func FuzzLists(f *testing.F) {
	f.Add([]byte(kevOf("CVE-2021-44228", "CVE-2014-0160")))
	f.Add([]byte(epssHead + "CVE-2021-44228,0.94358,0.99957\n"))
	f.Add([]byte(packed(epssHead + "CVE-2021-44228,0.94358,0.99957\n")))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, l := range lists() {
			if in, err := plain(bytes.NewReader(b)); err == nil {
				if list, at, err := l.parse(in); (err == nil) != (list != nil && !at.IsZero()) {
					t.Error(list, at, err)
				}
			}
		}
	})
}

// BenchmarkEPSS parses as many scores as there are.
func BenchmarkEPSS(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	text.WriteString(epssHead)
	for i := range 300_000 {
		fmt.Fprintf(&text, "CVE-%d-%d,%.5f,%.5f\n", 2000+i/12_000, 1000+i%12_000, r.Float64(), r.Float64())
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := parseEPSS(strings.NewReader(text.String())); err != nil {
			b.Fatal(err)
		}
	}
}
