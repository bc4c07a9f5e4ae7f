package policy

import (
	"errors"
	"fmt"
	"math"
)

// filePriority is the section "priority" of a policy file.
type filePriority struct {
	Weights *fileWeights `yaml:"weights"`
}

type fileWeights struct {
	Severity  *float64 `yaml:"severity"`
	KEV       *float64 `yaml:"kev"`
	EPSS      *float64 `yaml:"epss"`
	Reach     *float64 `yaml:"reach"`
	Certainty *float64 `yaml:"certainty"`
	Exposure  *float64 `yaml:"exposure"`
	Fix       *float64 `yaml:"fix"`
}

// maxWeight is the highest weight: more only makes the others smaller.
const maxWeight = 1000

// apply sets the weights that a file states; one that it leaves out keeps its value.
func (f *filePriority) apply(to *Weights) error {
	if f == nil || f.Weights == nil {
		return nil
	}
	if *to == (Weights{}) {
		*to = DefaultWeights()
	}
	w := f.Weights
	var errs []error
	sum := 0
	for _, x := range []struct {
		key  string
		from *float64
		to   *int
	}{
		{"severity", w.Severity, &to.Severity}, {"kev", w.KEV, &to.KEV}, {"epss", w.EPSS, &to.EPSS}, {"reach", w.Reach, &to.Reach},
		{"certainty", w.Certainty, &to.Certainty}, {"exposure", w.Exposure, &to.Exposure}, {"fix", w.Fix, &to.Fix},
	} {
		if x.from != nil {
			if n := *x.from; !(n >= 0 && n <= maxWeight) || n != math.Trunc(n) { // decoded into an integer, 1.5 would be 1
				errs = append(errs, fmt.Errorf("priority.weights.%s: %v is not a whole number from 0 to %d", x.key, n, maxWeight))
				continue
			}
			*x.to = int(*x.from)
		}
		sum += *x.to
	}
	if sum == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("priority.weights: all of them are 0, so that every finding would be alike"))
	}
	return errors.Join(errs...)
}

// priorityKeys are the keys of the section, for suggestions.
var priorityKeys = []string{"priority", "weights", "kev", "epss", "reach", "exposure"}
