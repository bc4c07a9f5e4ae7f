package descriptor

import "slices"

// functionGlobals are the properties that functions inherit from the section
// Globals and that matter here
// (docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html,
// 2026-11). Role, Policies, FunctionName and Events are never inherited.
func functionGlobals() []string {
	return []string{"Handler", "Runtime", "CodeUri", "ImageUri", "PackageType", "Layers", "Architectures", "Environment",
		"FunctionUrlConfig", "CodeSigningConfigArn"}
}

// inherit returns the properties of a function with those of Globals: a value
// of the function replaces one of the same name, lists are appended to the
// global list, mappings are merged key by key (the section "Overridable" of the
// page above). ignore is the attribute IgnoreGlobals: "*" or a list of names.
func (r *resolver) inherit(globals, own *mapping, ignore any) *mapping {
	if globals == nil || ignore == "*" {
		return own
	}
	names, _ := ignore.([]any)
	out := newMapping()
	for _, k := range functionGlobals() {
		if globals.has(k) && !slices.Contains(names, any(k)) {
			out.put(k, globals.get(k))
		}
	}
	if own == nil {
		return out
	}
	return r.merge(out, own, 0).(*mapping)
}

func (r *resolver) merge(global, own any, depth int) any {
	if r.steps++; r.steps > maxSteps || depth > maxDepth {
		return own
	}
	switch o := own.(type) {
	case []any:
		if g, ok := global.([]any); ok {
			return slices.Concat(g, o)
		}
	case *mapping:
		g, ok := global.(*mapping)
		if !ok || intrinsic(g) || intrinsic(o) { // a function stands for one value
			return own
		}
		out := newMapping()
		for _, k := range g.keys {
			if o.has(k) {
				out.put(k, r.merge(g.values[k], o.values[k], depth+1))
			} else {
				out.put(k, g.values[k])
			}
		}
		for _, k := range o.keys {
			out.put(k, o.values[k])
		}
		return out
	}
	return own
}

func intrinsic(m *mapping) bool {
	key, _, ok := m.single()
	return ok && isIntrinsic(key)
}
