package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// Limits of a Slack message, in bytes: a text of up to 4,000 characters is what
// Slack asks for (https://docs.slack.dev/changelog/2018-truncating-really-long-messages,
// read 2026-11-28), and one line of it must not take it all.
const (
	maxText = 3500
	maxLine = 300
)

// slackBody is an incoming webhook's message. Links are not followed for a
// preview: a package's name may be one.
type slackBody struct {
	Text        string `json:"text"`
	Markdown    bool   `json:"mrkdwn"`
	LinkNames   bool   `json:"link_names"`
	UnfurlLinks bool   `json:"unfurl_links"`
	UnfurlMedia bool   `json:"unfurl_media"`
}

// slack encodes a message for a Slack-compatible incoming webhook.
func (m *message) slack() ([]byte, error) {
	b, err := json.Marshal(slackBody{Text: m.text(), Markdown: true})
	if err != nil {
		return nil, fmt.Errorf("encode what changed: %w", err)
	}
	return b, nil
}

func (m *message) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "*fnaudit*: %s in %s (", finding.Count(len(m.changes), "change", "changes"), finding.Count(finding.ChangedFunctions(m.changes), "function", "functions"))
	for i, t := range m.tally {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", t.Count, mrkdwn(string(t.Cause), maxLine))
	}
	s := m.doc.Summary
	fmt.Fprintf(&b, ")\nNow %d fail, %d incomplete, %d pass", s.Fail, s.Incomplete, s.Pass)
	left := len(m.changes)
	for _, g := range finding.GroupChanges(m.changes) {
		line := groupLine(&g)
		more := "\nand " + finding.Count(left, "change", "changes") + " more"
		if b.Len()+len(line)+len(more) > maxText {
			b.WriteString(more)
			break
		}
		b.WriteString(line)
		left -= g.Count
	}
	return b.String()
}

// groupLine says in one line what changed alike, and where.
func groupLine(g *finding.Together) string {
	text := "\n• " + places(g.Functions) + ": "
	for i, t := range g.Turned {
		if i == maxTurned {
			break
		}
		where := ""
		if len(t.Functions) < len(g.Functions) {
			where = " in " + finding.Thousands(len(t.Functions))
		}
		text += fmt.Sprintf("%s → %s%s, ", mrkdwn(string(t.Before), 20), mrkdwn(string(t.After), 20), where)
	}
	text += mrkdwn(string(g.Cause), 40)
	if g.Severity != "" {
		text += ", " + mrkdwn(string(g.Severity), 20)
	}
	about := strings.TrimSpace(strings.TrimPrefix(g.Component, "pkg:") + " " + g.ID)
	if about != "" {
		text += ": " + mrkdwn(about, maxLine/2)
	}
	if n := len(g.Also); n > 0 {
		text += " and " + finding.Thousands(n) + " more"
	}
	return text + ": " + mrkdwn(g.Detail, maxLine)
}

// maxTurned and maxPlaces are how many turns of verdicts and how many functions
// one line names.
const (
	maxTurned = 3
	maxPlaces = 2
)

// places names functions: the first, and how many more there are.
func places(names []string) string {
	var out []string
	for _, name := range names[:min(maxPlaces, len(names))] {
		out = append(out, mrkdwn(name, maxLine/4))
	}
	text := strings.Join(out, ", ")
	if n := len(names) - maxPlaces; n > 0 {
		text += " and " + finding.Count(n, "function", "functions") + " more"
	}
	return text
}

// apart is put where two characters would mean something together. It shows nothing.
const apart = "\u200b"

// mrkdwn writes text of others so that it is nothing but text, at most limit
// bytes of it and one line: Slack's three control characters become entities
// (https://docs.slack.dev/messaging/formatting-message-text, "Escaping text"),
// so that no <!channel> and no <https://...|link> is left; and for those that
// read Slack's messages and more than those, neither "@all" nor an address holds
// together. Emphasis is left: it only looks odd.
func mrkdwn(text string, limit int) string {
	var b strings.Builder
	runes, cut := []rune(oneLine(text)), false
	for i, r := range runes {
		if b.Len() >= limit {
			cut = true
			break
		}
		next := rune(0)
		if i+1 < len(runes) {
			next = runes[i+1]
		}
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '@' && unicode.IsLetter(next), r == ':' && next == '/', r == '.' && unicode.IsLetter(next):
			b.WriteRune(r)
			b.WriteString(apart)
		default:
			b.WriteRune(r)
		}
	}
	if cut {
		b.WriteString("…")
	}
	return b.String()
}

// oneLine drops what is not to be seen: control characters, those that turn the
// direction of text, and bytes that are no text.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
}
