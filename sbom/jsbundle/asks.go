package jsbundle

import "strings"

// asks collects the packages that a script loads when it runs: the names in
// require("x"), import("x") and import ... from "x". Any call whose only
// argument is such a name counts, since minifiers rename require; what it says
// too much can only keep a package from being called left out.
type asks struct {
	names map[string]bool
	last  string // the name before this token, "" when it was something else
}

// token takes the tokens in order.
func (a *asks) token(t *Token) {
	switch t.Kind {
	case Comment:
		return
	case Name:
		a.last = ""
		if len(t.Text) <= len("import") {
			a.last = string(t.Text)
		}
		return
	case String:
		if t.Prev == '(' && t.Next() == ')' || a.last == "from" || a.last == "import" {
			a.add(t)
		}
	}
	a.last = ""
}

// add notes the package of the module that a string names.
func (a *asks) add(t *Token) {
	if len(t.Text) > 2*maxPackageName {
		return
	}
	parts := strings.SplitN(t.Value(), "/", 3)
	name := parts[0]
	if len(parts) > 1 && strings.HasPrefix(name, "@") {
		name += "/" + parts[1]
	}
	if !plainName(name) {
		return
	}
	if a.names == nil {
		a.names = map[string]bool{}
	}
	a.names[name] = true
}
