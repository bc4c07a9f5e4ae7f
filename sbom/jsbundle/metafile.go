package jsbundle

import (
	"fmt"
	"path"
	"strings"
)

// Account is what a bundler's own account, a file beside the bundle, says about
// one bundle. The zero value says nothing.
type Account struct {
	Claims []Claim // one a package and place
	Agrees bool    // the account's figures are those of the bundle's bytes
	Gap    string  // why it does not agree, in plain words; "" when it does

	// How many of the bundle's bytes come from packages, from the function's own
	// files, and from neither, as far as the account tells: all 0 when it does
	// not agree, or gives no sizes of what was written.
	Packages, Own, Other int64
}

// What a claim from an account is worth: an account that agrees with the bytes
// is the bundler's own word about them, another one only says what was meant.
const (
	accountTrusted  = 0.99
	accountDeclared = 0.3
)

// maxAccounted bounds the modules of one account.
const maxAccounted = 200_000

// Metafile reads esbuild's account (https://esbuild.github.io/api/#metafile):
// inputs and outputs, with the number of bytes that each input has in each
// output. data is the metafile, from its path, bundle the path of the script and
// size the number of its bytes. The account agrees when an output of that file
// name has as many bytes, and not more of them come from inputs. bun writes the
// same form. The error says that the file is no metafile or cannot be read to
// its end; the account then says nothing.
func Metafile(data []byte, from, bundle string, size int64) (Account, error) {
	r := newJSONReader(data)
	var outputs []metaOutput
	seen, modules := false, 0
	err := r.object(func(key string) error {
		if key != "outputs" {
			return r.skip()
		}
		seen = true
		return r.object(func(name string) error {
			if path.Base(name) != path.Base(bundle) {
				return r.skip()
			}
			o, err := readOutput(r, name, &modules)
			outputs = append(outputs, o)
			return err
		})
	})
	if err == nil {
		err = r.end()
	}
	if err == nil && !seen {
		err = fmt.Errorf("no outputs in it")
	}
	if err != nil {
		return Account{}, fmt.Errorf("read metafile %s: %w", from, err)
	}
	return accountOf(outputs, from, bundle, size), nil
}

// metaOutput is one output of a metafile.
type metaOutput struct {
	name   string
	bytes  int64
	inputs []metaInput
}

type metaInput struct {
	name  string
	bytes int64 // in the output; 0: nothing of it is left
}

func readOutput(r *jsonReader, name string, modules *int) (metaOutput, error) {
	o := metaOutput{name: name, bytes: -1}
	err := r.object(func(key string) (err error) {
		switch key {
		case "bytes":
			o.bytes, err = r.number()
			return err
		case "inputs":
			return r.object(func(input string) error {
				in := metaInput{name: input}
				err := r.object(func(key string) (err error) {
					if key != "bytesInOutput" {
						return r.skip()
					}
					in.bytes, err = r.number()
					return err
				})
				if *modules++; *modules > maxAccounted {
					return fmt.Errorf("more than %d inputs", maxAccounted)
				}
				o.inputs = append(o.inputs, in)
				return err
			})
		}
		return r.skip()
	})
	return o, err
}

// accountOf picks the output that is the bundle, and makes claims of its inputs.
func accountOf(outputs []metaOutput, from, bundle string, size int64) Account {
	if len(outputs) == 0 {
		return Account{Gap: "it has no output of this name"}
	}
	best := &outputs[0]
	for i := range outputs {
		o := &outputs[i]
		if better := shared(o.name, bundle) > shared(best.name, bundle); (o.bytes == size) != (best.bytes == size) && o.bytes == size || (o.bytes == size) == (best.bytes == size) && better {
			best = o
		}
	}
	a := Account{Agrees: best.bytes == size}
	if !a.Agrees {
		a.Gap = fmt.Sprintf("it tells of %d bytes, the file has %d", best.bytes, size)
	}
	var packaged, own int64
	var list claimList
	for _, in := range best.inputs {
		if in.bytes <= 0 {
			continue
		}
		if in.bytes > size-packaged-own {
			a.Agrees, a.Gap = false, "its inputs have more bytes than the file"
			break
		}
		if list.add(in.name) {
			packaged += in.bytes
		} else if parseModule(in.name).whose != bundlers {
			own += in.bytes
		}
	}
	if a.Agrees {
		a.Packages, a.Own, a.Other = packaged, own, size-packaged-own
	}
	a.Claims = list.claims(from, a.Agrees, "the bundler's metafile counts its bytes")
	return a
}

// shared counts the folders and the name at the end of two paths that are equal.
func shared(a, b string) int {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < len(as) && n < len(bs) && as[len(as)-1-n] == bs[len(bs)-1-n] {
		n++
	}
	return n
}

// claimList collects packages by their place.
type claimList struct {
	order []origin
	seen  map[origin]bool
}

// add takes a module and reports whether it is a package's.
func (l *claimList) add(module string) bool {
	o := parseModule(module)
	if o.whose != packages {
		return false
	}
	if l.seen == nil {
		l.seen = map[origin]bool{}
	}
	if !l.seen[o] {
		l.seen[o] = true
		l.order = append(l.order, o)
	}
	return true
}

// claims returns a claim for each package and place.
func (l *claimList) claims(from string, agrees bool, detail string) []Claim {
	confidence := accountTrusted
	if !agrees {
		confidence, detail = accountDeclared, "declared only: the account does not agree with the bytes"
	}
	var out []Claim
	for _, o := range l.order {
		out = append(out, Claim{Name: o.name, Version: o.version, Method: MethodMetafile, Confidence: confidence, Path: o.install, Offset: -1, Detail: detail, From: from})
	}
	return out
}
