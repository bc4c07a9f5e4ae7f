package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// overAge says how old something is and how old it may be, which is less: as
// exactly as it takes for the first to be the larger of the two.
func overAge(age, allowed time.Duration) string {
	told := "just over " + spelled(allowed, time.Second)
	for _, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if age.Truncate(unit) > allowed {
			told = spelled(age, unit)
			break
		}
	}
	return told + " old; the policy allows " + spelled(allowed, time.Second)
}

// spelled writes a duration down to a unit: "2 days 12 hours". Under two days it
// is counted in hours, and then at least down to these.
func spelled(d, unit time.Duration) string {
	var parts []string
	for _, u := range []struct {
		length    time.Duration
		one, many string
	}{{24 * time.Hour, "day", "days"}, {time.Hour, "hour", "hours"}, {time.Minute, "minute", "minutes"}, {time.Second, "second", "seconds"}} {
		if u.length == 24*time.Hour && d < 48*time.Hour || u.length < unit && len(parts) > 0 {
			continue
		}
		if n := d / u.length; n > 0 {
			parts = append(parts, finding.Count(int(n), u.one, u.many))
			d -= n * u.length
		}
	}
	if len(parts) == 0 {
		return fmt.Sprint(d)
	}
	return strings.Join(parts, " ")
}
