package finding

import (
	"cmp"
	"slices"
	"strings"
)

// alike is what changes have in common that are told as one.
type alike struct {
	cause                                        Cause
	id, component, severity, before, now, detail string
}

// alikeOf is what a change is put with others by. What differs from function to
// function of one and the same thing is left out: the id, the digests and the places
// of drift, the places of a runtime, and the file of a report that is gone.
func alikeOf(c *Change) alike {
	key := alike{c.Cause, c.ID, c.Component, string(c.Severity), c.Before, c.After, c.Detail}
	switch {
	case c.Component != "":
	case driftRule(c.ID) != "":
		key.id, key.before, key.now, key.detail = driftRule(c.ID), "", "", ""
	case strings.HasPrefix(c.ID, "runtime:"):
		key.detail = ""
	case c.Cause == CauseGone:
		key.detail, _, _ = strings.Cut(c.Detail, ": ")
	}
	if c.ID == "" && c.Decision != nil {
		key.before, key.now = "", "" // the verdicts, which Turned tells apart
	}
	return key
}

// driftRule is the rule of a finding of kind drift, by its id, which names the
// function after it; "" for any other id.
func driftRule(id string) string {
	rule, _, named := strings.Cut(id, ":")
	if named && slices.Contains(DriftRules(), rule) {
		return rule
	}
	return ""
}

// generalize says of a change that is another one too what is true of both.
func (t *Together) generalize(c *Change) {
	rule := driftRule(t.ID)
	if rule == "" {
		rule = t.general
	}
	if rule != "" && t.ID != c.ID {
		t.general, t.ID, t.Before, t.After = rule, rule, "", ""
	}
	if t.Detail == c.Detail {
		return
	}
	shared := clause(t.Detail, c.Detail)
	if rule != "" && shared == noMore {
		shared += ": " + DriftTitle(rule)
	}
	t.Detail = cmp.Or(shared, DriftTitle(rule), t.Detail)
}

// noMore is what a change of something that is not so any more begins with.
const noMore = "not so any more"

// clause is what two sentences begin with alike, up to the end of a clause of both;
// "" for nothing.
func clause(a, b string) string {
	for a != "" && !(strings.HasPrefix(b, a) && ends(b[len(a):])) {
		a = a[:max(strings.LastIndex(a, ": "), strings.LastIndex(a, " ("), 0)]
	}
	return a
}

// ends says whether a clause ends before the rest of a sentence.
func ends(rest string) bool {
	return rest == "" || strings.HasPrefix(rest, ": ") || strings.HasPrefix(rest, " (")
}
