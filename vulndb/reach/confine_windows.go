package reach

// limitResources does nothing: the parent's time limit is what there is.
func limitResources(limits) error { return nil }
