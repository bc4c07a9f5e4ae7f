package registry

import (
	"encoding/json"
	"fmt"
	"maps"
)

// npmRequires is what npm may install along with a version: its dependencies,
// the optional ones among them since which of those a platform takes is not
// told, and the peers that are not marked optional
// (https://docs.npmjs.com/cli/v11/configuring-npm/package-json#peerdependencies).
// nil: nothing.
func npmRequires(m *npmManifest) map[string]string {
	all := texts(m.Dependencies)
	var marks map[string]struct{ Optional bool }
	_ = json.Unmarshal(m.PeerDependenciesMeta, &marks) // of whatever form: then no peer is optional
	peers := texts(m.PeerDependencies)
	maps.DeleteFunc(peers, func(name, _ string) bool { return marks[name].Optional })
	for _, more := range []map[string]string{texts(m.OptionalDependencies), peers} {
		for name, wanted := range more {
			if all == nil {
				all = map[string]string{}
			}
			if _, there := all[name]; !there {
				all[name] = wanted
			}
		}
	}
	return requires(all)
}

// beyond starts the range of what is over a limit: nothing satisfies it, so that
// it is not known rather than absent.
const beyond = "limit: "

// requires bounds what a version needs; nil when that is nothing.
func requires(all map[string]string) map[string]string {
	if len(all) > maxRequires {
		return map[string]string{"*": fmt.Sprintf("%sit names over %d packages", beyond, maxRequires)}
	}
	for name, wanted := range all {
		if len(name) > maxText || len(wanted) > maxText {
			delete(all, name)
			all[plain(name)] = beyond + "its name or its range is too long"
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
