package jsbundle

import (
	"fmt"
	"path"
	"slices"
)

// Stats reads webpack's and rspack's account (https://webpack.js.org/api/stats/):
// assets with their sizes and chunks, and modules with the chunks they are in,
// joined modules inside the one they were joined to. The account agrees when an
// asset of the bundle's file name has its size in bytes; which modules are in it
// its chunks tell. Sizes of modules are those before minification, so that no
// bytes are counted. See Metafile for the parameters and the error.
func Stats(data []byte, from, bundle string, size int64) (Account, error) {
	s := stats{jsonReader: newJSONReader(data), bundle: path.Base(bundle)}
	if err := s.compilation(); err != nil {
		return Account{}, fmt.Errorf("read stats %s: %w", from, err)
	}
	if err := s.end(); err != nil {
		return Account{}, fmt.Errorf("read stats %s: %w", from, err)
	}
	if !s.assets || len(s.modules) == 0 {
		return Account{}, fmt.Errorf("read stats %s: no assets and modules in it", from)
	}
	return s.account(from, size), nil
}

// stats is what was read of an account.
type stats struct {
	*jsonReader
	bundle  string
	assets  bool // there is a list of assets
	named   []statsAsset
	modules []statsModule
	level   int // of compilations in compilations
}

type statsAsset struct {
	size   int64
	chunks []string
	scope  int // the compilation it is of
}

type statsModule struct {
	names  []string // of the module and of those that were joined to it
	chunks []string
	scope  int
}

// compilation reads one compilation: the document, or one of its children.
func (s *stats) compilation() error {
	s.level++
	scope := s.level
	return s.object(func(key string) error {
		switch key {
		case "assets":
			s.assets = true
			return s.array(func() error { return s.asset(scope) })
		case "modules":
			return s.array(func() error { return s.module(scope) })
		case "children":
			return s.array(s.compilation)
		case "chunks":
			return s.array(func() error { return s.chunk(scope) })
		}
		return s.skip()
	})
}

func (s *stats) asset(scope int) error {
	a := statsAsset{size: -1, scope: scope}
	name := ""
	err := s.object(func(key string) (err error) {
		switch key {
		case "name":
			name, err = s.text()
		case "size":
			a.size, err = s.number()
		case "chunks":
			a.chunks, err = s.ids()
		default:
			err = s.skip()
		}
		return err
	})
	if path.Base(name) == s.bundle {
		s.named = append(s.named, a)
	}
	return err
}

// chunk reads the modules that are listed with their chunk, as older versions do.
func (s *stats) chunk(scope int) error {
	first := len(s.modules)
	var id []string
	err := s.object(func(key string) (err error) {
		switch key {
		case "id":
			id, err = s.id(nil)
		case "modules":
			err = s.array(func() error { return s.module(scope) })
		default:
			err = s.skip()
		}
		return err
	})
	for i := first; i < len(s.modules); i++ {
		s.modules[i].chunks = append(s.modules[i].chunks, id...)
	}
	return err
}

// module reads a module and those that were joined to it.
func (s *stats) module(scope int) error {
	m := statsModule{scope: scope}
	err := s.member(&m)
	if len(s.modules) > maxAccounted {
		return fmt.Errorf("more than %d modules", maxAccounted)
	}
	if err == nil && len(m.names) > 0 {
		s.modules = append(s.modules, m)
	}
	return err
}

// member reads one module into m. An orphan is in no chunk.
func (s *stats) member(m *statsModule) error {
	name, condition := "", ""
	joined, orphan := false, false
	first := len(m.names)
	err := s.object(func(key string) (err error) {
		switch key {
		case "name":
			name, err = s.text()
		case "nameForCondition":
			condition, err = s.text()
		case "chunks":
			var ids []string
			ids, err = s.ids()
			m.chunks = append(m.chunks, ids...)
		case "orphan":
			var v any
			v, err = s.scalar()
			orphan = v == true
		case "modules":
			joined = true
			if len(m.names) > maxAccounted {
				return fmt.Errorf("more than %d modules", maxAccounted)
			}
			err = s.array(func() error { return s.member(m) })
		default:
			err = s.skip()
		}
		return err
	})
	if orphan {
		m.names = m.names[:first]
	} else if name != "" && (!joined || len(m.names) == first) {
		if condition != "" && parseModule(name).whose == nobodys {
			name = condition
		}
		m.names = append(m.names, name)
	}
	return err
}

// ids reads an array of ids, which are numbers or strings.
func (s *stats) ids() (ids []string, err error) {
	err = s.array(func() error {
		ids, err = s.id(ids)
		return err
	})
	return ids, err
}

func (s *stats) id(ids []string) ([]string, error) {
	v, err := s.scalar()
	if v != nil && len(ids) < maxAccounted {
		ids = append(ids, fmt.Sprint(v))
	}
	return ids, err
}

// account picks the asset that is the bundle and the modules in its chunks.
func (s *stats) account(from string, size int64) Account {
	if len(s.named) == 0 {
		return Account{Gap: "it has no asset of this name"}
	}
	asset := s.named[0]
	for _, a := range s.named {
		if a.size == size {
			asset = a
			break
		}
	}
	a := Account{Agrees: asset.size == size}
	if !a.Agrees {
		a.Gap = fmt.Sprintf("it tells of %d bytes, the file has %d", asset.size, size)
	}
	chunks := map[string]bool{}
	for _, c := range asset.chunks {
		chunks[c] = true
	}
	var list claimList
	for i := range s.modules {
		m := &s.modules[i]
		if m.scope == asset.scope && slices.ContainsFunc(m.chunks, func(c string) bool { return chunks[c] }) {
			for _, name := range m.names {
				list.add(name)
			}
		}
	}
	if len(list.order) == 0 && a.Agrees {
		a.Agrees, a.Gap = false, "it does not say which modules are in this file"
	}
	a.Claims = list.claims(from, a.Agrees, "the bundler's stats list its modules in this file's chunks")
	return a
}
