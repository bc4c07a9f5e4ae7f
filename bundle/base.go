package bundle

import "context"

func (r *imageRead) base(ctx context.Context, p *pack) error { return nil }
