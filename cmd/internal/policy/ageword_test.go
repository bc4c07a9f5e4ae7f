package policy

import (
	"testing"
	"time"
)

// TestOverAge holds that what is too old is never said to be as old as is allowed.
func TestOverAge(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		age, allowed time.Duration
		want         string
	}{
		{10*day + 5*time.Hour, 7 * day, "10 days old; the policy allows 7 days"},
		{2*day + 5*time.Hour, 2 * day, "2 days 5 hours old; the policy allows 2 days"},
		{7*day + 9*time.Minute, 7 * day, "7 days 9 minutes old; the policy allows 7 days"},
		{7*day + 9*time.Second, 7 * day, "7 days 9 seconds old; the policy allows 7 days"},
		{7*day + 1, 7 * day, "just over 7 days old; the policy allows 7 days"},
		{60*time.Hour + 30*time.Minute, 60 * time.Hour, "2 days 12 hours 30 minutes old; the policy allows 2 days 12 hours"},
		{3 * day, 60 * time.Hour, "3 days old; the policy allows 2 days 12 hours"},
		{37*time.Hour + time.Minute, 36 * time.Hour, "37 hours old; the policy allows 36 hours"},
		{36*time.Hour + time.Minute, 36 * time.Hour, "36 hours 1 minute old; the policy allows 36 hours"},
		{49 * time.Hour, 36 * time.Hour, "2 days old; the policy allows 36 hours"},
		{90 * time.Minute, 30 * time.Minute, "1 hour old; the policy allows 30 minutes"},
		{2 * time.Hour, time.Microsecond, "2 hours old; the policy allows 1µs"},
	} {
		if got := overAge(c.age, c.allowed); got != c.want {
			t.Errorf("%s over %s: %q, want %q", c.age, c.allowed, got, c.want)
		}
	}
}
