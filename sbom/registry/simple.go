package registry

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"path"
	"strings"
)

// simpleList is a project as the Simple API has it, in either of its forms.
type simpleList struct {
	name           string // "" in the HTML form
	status, reason string // of the project, if it is not an active one (PEP 792)
	versions       []string
	files          []pypiFile
	dated          bool // files have dates, as in the JSON form
	keeps          bool // the index tells of attestations (PEP 740)
}

// parseSimple reads a project of the Simple API; name is the one asked for.
func parseSimple(body []byte, name string) (simpleList, error) {
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '<' {
		return parseSimpleHTML(string(trimmed), name)
	}
	return parseSimpleJSON(body)
}

// simpleProject is the JSON form (PEP 691, PEP 700). Each field may have any form.
type simpleProject struct {
	Name, Versions, Files json.RawMessage
	Status                json.RawMessage `json:"project-status"`
}

type simpleFile struct {
	Filename, URL, Yanked, Hashes, Provenance json.RawMessage
	Uploaded                                  json.RawMessage `json:"upload-time"`
	Python                                    json.RawMessage `json:"requires-python"`
	Metadata                                  json.RawMessage `json:"core-metadata"`
	Older                                     json.RawMessage `json:"dist-info-metadata"` // what it was called before PEP 714
}

func parseSimpleJSON(body []byte) (l simpleList, err error) {
	var s simpleProject
	if json.Unmarshal(body, &s) != nil {
		return l, errors.New("it is not of the form that was expected")
	}
	if l.name = text(s.Name); l.name == "" {
		return l, errors.New("it names no project")
	}
	if st := texts(s.Status); st["status"] != "active" {
		l.status, l.reason = plain(st["status"]), plain(st["reason"])
	}
	if len(s.Versions) > 0 && s.Versions[0] != '[' {
		return l, errors.New("its versions are no list")
	}
	err = elements(s.Versions, func(dec *json.Decoder) error {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if l.versions = append(l.versions, text(raw)); len(l.versions) > maxVersions {
			return fmt.Errorf("it lists over %d versions", maxVersions)
		}
		return nil
	})
	if err != nil {
		return l, err
	}
	err = elements(s.Files, func(dec *json.Decoder) error {
		var f simpleFile
		if err := loosely(dec.Decode(&f)); err != nil {
			return err
		}
		l.dated = l.dated || len(f.Uploaded) > 0
		l.keeps = l.keeps || len(f.Provenance) > 0
		why := plain(text(f.Yanked))
		return l.add(l.name, pypiFile{
			name: text(f.Filename), uploaded: text(f.Uploaded), yanked: yes(f.Yanked) || why != "", reason: why, attested: text(f.Provenance) != "",
			sha256: texts(f.Hashes)["sha256"], address: text(f.URL), provenance: text(f.Provenance),
			python: clipped(text(f.Python), maxText), metadata: cmp.Or(jsonMetadata(f.Metadata), jsonMetadata(f.Older)),
		})
	})
	return l, err
}

// jsonMetadata is what the JSON form says of a file's metadata: digests, or yes.
func jsonMetadata(raw json.RawMessage) string {
	if sum := texts(raw)["sha256"]; sum != "" {
		return "sha256=" + sum
	}
	if len(raw) > 0 && raw[0] == '{' || yes(raw) {
		return "true"
	}
	return ""
}

// htmlMetadata is what the HTML form says of it; there "" says no, too.
func htmlMetadata(attributes map[string]string) string {
	for _, key := range []string{"data-core-metadata", "data-dist-info-metadata"} {
		if v := attributes[key]; v != "" && v != "false" {
			return v
		}
	}
	return ""
}

// add adds a file of a project; one whose name is of no version is left out.
func (l *simpleList) add(project string, f pypiFile) error {
	if f.version = pypiFileVersion(project, f.name); f.version == "" {
		return nil
	}
	if len(l.files) >= maxFiles {
		return fmt.Errorf("it lists over %d files", maxFiles)
	}
	l.files = append(l.files, f)
	return nil
}

// parseSimpleHTML reads the HTML form (PEP 503): a link a file, with what is
// known of it in attributes. A page of another kind has no such links.
func parseSimpleHTML(page, name string) (l simpleList, err error) {
	for {
		i := strings.IndexByte(page, '<')
		if i < 0 {
			return l, nil
		}
		page = page[i+1:]
		if strings.HasPrefix(page, "!--") {
			if i = strings.Index(page, "-->"); i < 0 {
				return l, nil
			}
			page = page[i:]
			continue
		}
		tag, attributes, rest := htmlTag(page)
		page = rest
		switch tag {
		case "meta":
			switch attributes["name"] {
			case "pypi:project-status":
				if s := plain(attributes["content"]); s != "active" {
					l.status = s
				}
			case "pypi:project-status-reason":
				l.reason = plain(attributes["content"])
			}
		case "a":
			address, fragment, _ := strings.Cut(attributes["href"], "#")
			sum, _ := strings.CutPrefix(fragment, "sha256=")
			why, yanked := attributes["data-yanked"]
			provenance, keeps := attributes["data-provenance"]
			l.keeps = l.keeps || keeps
			text, _, _ := strings.Cut(page, "<")
			file := strings.TrimSpace(html.UnescapeString(clipped(text, maxText)))
			if file == "" {
				file = path.Base(address)
			}
			err := l.add(name, pypiFile{
				name: file, yanked: yanked, reason: plain(why), attested: provenance != "", sha256: sum, address: address, provenance: provenance,
				python: clipped(attributes["data-requires-python"], maxText), metadata: htmlMetadata(attributes),
			})
			if err != nil {
				return l, err
			}
		}
	}
}

// maxAttributes bounds those of one tag.
const maxAttributes = 50

// htmlTag reads a tag after its "<": its name and attributes, both in lower
// case, and what follows it.
func htmlTag(s string) (tag string, attributes map[string]string, rest string) {
	end := strings.IndexAny(s, " \t\r\n\f/>")
	if end < 0 {
		return "", nil, ""
	}
	tag, s = strings.ToLower(clipped(s[:end], 16)), s[end:]
	attributes = map[string]string{}
	for range maxAttributes {
		s = strings.TrimLeft(s, " \t\r\n\f/")
		if strings.HasPrefix(s, ">") {
			return tag, attributes, s[1:]
		}
		if s == "" {
			break
		}
		end := strings.IndexAny(s[1:], " \t\r\n\f/>=") + 1
		if end == 0 {
			return tag, attributes, ""
		}
		key, value := strings.ToLower(clipped(s[:end], 64)), ""
		s = strings.TrimLeft(s[end:], " \t\r\n\f")
		if strings.HasPrefix(s, "=") {
			value, s = htmlValue(strings.TrimLeft(s[1:], " \t\r\n\f"))
		}
		if _, twice := attributes[key]; !twice {
			attributes[key] = html.UnescapeString(clipped(value, 4*maxText))
		}
	}
	return tag, attributes, s
}

// htmlValue reads the value of an attribute, and returns what follows it.
func htmlValue(s string) (value, rest string) {
	if s == "" {
		return "", ""
	}
	if quote := s[0]; quote == '"' || quote == '\'' {
		end := strings.IndexByte(s[1:], quote)
		if end < 0 {
			return "", ""
		}
		return s[1 : 1+end], s[2+end:]
	}
	end := strings.IndexAny(s, " \t\r\n\f>")
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}
