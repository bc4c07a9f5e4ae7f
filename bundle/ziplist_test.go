package bundle

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// TestListZip checks order, folders and repeats, and that whatever a reader of
// local headers would see otherwise is told.
func TestListZip(t *testing.T) {
	for _, test := range []struct {
		name   string
		zip    zipOf
		want   string // names and bodies in order
		notice NoticeKind
	}{
		{"order of the directory", zipOf{entries: []ent{{name: "b", body: "2"}, {name: "d/", store: true}, {name: "a", body: "1", store: true}}}, "b=2 d/= a=1", ""},
		{"empty file", zipOf{entries: []ent{{name: "a"}}}, "a=", ""},
		{"raw names", zipOf{entries: []ent{{name: "../x\\y", body: "1"}}}, "../x\\y=1", NoticeTraversal},
		{"two of one name", zipOf{entries: []ent{{name: "a", body: "1"}, {name: "a", body: "2"}}}, "a=1 a=2", NoticeDuplicate},
		{"two alike", zipOf{entries: []ent{{name: "a", body: "1"}, {name: "a", body: "1"}}}, "a=1 a=1", NoticeDuplicate},
		{"two folders", zipOf{entries: []ent{{name: "a/", store: true}, {name: "a/", store: true}}}, "a/= a/=", NoticeDuplicate},
		{"another local name", zipOf{entries: []ent{{name: "a", body: "1", localName: "b"}}}, "a=1", NoticeHeader},
		{"a folder with content", zipOf{entries: []ent{{name: "a/", body: "1", store: true, size: u32(0), packedSize: u32(0)}}, beforeCD: ""}, "a/=", NoticeHidden},
		{"unlisted entry", zipOf{entries: []ent{{name: "a", body: "1"}, {name: "b", body: "2", unlisted: true}}}, "a=1", NoticeHidden},
		{"bytes in between", zipOf{entries: []ent{{name: "a", body: "1"}}, beforeCD: "hidden"}, "a=1", NoticeHidden},
		{"bytes at the end", zipOf{entries: []ent{{name: "a", body: "1"}}, after: "hidden"}, "a=1", NoticeHidden},
		{"prefix", zipOf{entries: []ent{{name: "a", body: "1"}}, prefix: "hidden"}, "a=1", NoticeHidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := test.zip.bytes()
			l, err := ListZip(context.Background(), bytes.NewReader(data), int64(len(data)), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, e := range l.Entries {
				var b strings.Builder
				if err := l.Copy(&b, i); err != nil {
					t.Fatal(err)
				}
				if l.Dir(i) != strings.HasSuffix(e.Name, "/") {
					t.Errorf("Dir of %s is %v", e.Name, l.Dir(i))
				}
				got = append(got, e.Name+"="+b.String())
			}
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("got %s, want %s", s, test.want)
			}
			if test.notice == "" && len(l.Notices) > 0 {
				t.Errorf("noticed %v", l.Notices)
			}
			if test.notice != "" && (len(l.Notices) == 0 || l.Notices[0].Kind != test.notice) {
				t.Errorf("noticed %v, want %s", l.Notices, test.notice)
			}
		})
	}
}

func TestListZipRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		zip  zipOf
		lim  Limits
	}{
		{"wrong CRC", zipOf{entries: []ent{{name: "a", body: "1", crc: u32(7)}}}, Limits{}},
		{"bytes behind the stream", zipOf{entries: []ent{{name: "a", packed: append(deflated([]byte("1")), 0, 0), body: "1"}}}, Limits{}},
		{"too large", zipOf{entries: []ent{{name: "a", body: strings.Repeat("x", 100)}}}, Limits{MaxFileBytes: 10}},
		{"too large together", zipOf{entries: []ent{{name: "a", body: strings.Repeat("x", 8)}, {name: "b", body: strings.Repeat("x", 8)}}}, Limits{MaxTotalBytes: 10}},
		{"unknown method", zipOf{entries: []ent{{name: "a", body: "1", method: 99}}}, Limits{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := test.zip.bytes()
			l, err := ListZip(context.Background(), bytes.NewReader(data), int64(len(data)), test.lim)
			if err != nil {
				t.Fatal(err)
			}
			var last error
			for range 2 { // an error is not forgotten
				last = nil
				for i := range l.Entries {
					var b strings.Builder
					if err := l.Copy(&b, i); err != nil {
						last = err
					}
				}
				if !errors.Is(last, ErrUnreadable) {
					t.Errorf("got %v, want an error that wraps ErrUnreadable", last)
				}
			}
		})
	}
	if _, err := ListZip(context.Background(), strings.NewReader("no zip"), 6, Limits{}); !errors.Is(err, ErrUnknownKind) {
		t.Errorf("of text: %v", err)
	}
}
