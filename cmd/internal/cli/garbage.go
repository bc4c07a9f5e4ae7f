package cli

import (
	"runtime"
	"runtime/debug"
)

// roomy lets garbage grow while reports pass by one at a time: collecting it at
// once takes a third of the time, and little is held. Beside that limit there are
// some 70 MB of the store's and the program's files, and what a busy machine lets
// grow over it. The result puts that back.
func roomy(env *Env) func() { return garbage(env, 200, 170<<20) }

// roomyIfSmall is roomy for the end of a run that holds little, when nothing
// but the outputs is left to be made.
func roomyIfSmall(env *Env) func() {
	const small = 64 << 20
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > small {
		return func() {}
	}
	return garbage(env, 400, 256<<20)
}

// garbage sets how much of it is let be, in percent of what is held, and from
// how many bytes on it is collected whatever it is. The user's own settings stand.
func garbage(env *Env, percent int, limit int64) func() {
	if env.Getenv("GOGC") != "" || env.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent, limit = debug.SetGCPercent(percent), debug.SetMemoryLimit(limit)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}
