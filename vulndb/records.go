package vulndb

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// maxOrigins bounds the sources of one store.
const maxOrigins = 64

// eachRecord calls do with every record of a store file, several at a time and
// in any order. The advisory and its encoding are valid during the call.
func eachRecord(ctx context.Context, path string, jobs int, do func(a *Advisory, encoded string) error) (err error) {
	b, err := openBlob(path)
	if err != nil {
		return err
	}
	defer b.close()
	defer faults(&err)()
	f, err := openFdb(b)
	if err != nil {
		return err
	}
	var next atomic.Uint32
	g, gctx := errgroup.WithContext(ctx)
	for range jobs {
		g.Go(func() (err error) {
			defer faults(&err)()
			for {
				n := next.Add(1) - 1
				if n >= f.h.blocks {
					return nil
				}
				if err := gctx.Err(); err != nil {
					return err
				}
				recs, err := f.block(n)
				if err != nil {
					return err
				}
				for slot, r := range recs {
					a, err := decodeAdvisory(r)
					if err != nil {
						return damaged("record %d of block %d of %s", slot, n, f.h.ecosystem)
					}
					if err := do(a, r); err != nil {
						return err
					}
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("read store: %w", err)
	}
	return nil
}

// copyRecords adds the records of a store file to a writer, those that keep
// wants; nil wants all.
func copyRecords(ctx context.Context, path string, jobs int, layer uint8, w *fdbWriter, keep func(*Advisory) bool) error {
	return eachRecord(ctx, path, jobs, func(a *Advisory, encoded string) error {
		if keep != nil && !keep(a) {
			return nil
		}
		p := prepared{id: a.ID, layer: layer, data: []byte(encoded)}
		p.index(w.ecosystem, a)
		return w.add(&p)
	})
}
