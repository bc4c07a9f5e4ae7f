package resolve

import (
	"fmt"
	"strconv"
	"strings"
)

// pyEnv is what a tree of Python packages is worked out for: CPython 3 on 64-bit
// Linux, by its second number.
type pyEnv struct{ minor int }

// newestPython is the newest CPython that the platforms have, as of 2026-11;
// oldestPython the oldest for which a tree is worked out.
const (
	newestPython = 14
	oldestPython = 6
)

// String names the environment for people.
func (e pyEnv) String() string { return fmt.Sprintf("CPython 3.%d on 64-bit Linux", e.minor) }

// full is the version in full: the platforms run the newest patch, whose number
// changes every month, so a higher one than any stands for it.
func (e pyEnv) full() string { return fmt.Sprintf("3.%d.99", e.minor) }

// variable returns what a marker's variable is; "" when that is not known
// beforehand. ok is false for what is none.
func (e pyEnv) variable(name string) (value string, ok bool) {
	switch name {
	case "os_name":
		return "posix", true
	case "sys_platform":
		return "linux", true
	case "platform_machine":
		return "x86_64", true
	case "platform_python_implementation":
		return "CPython", true
	case "platform_system":
		return "Linux", true
	case "python_version":
		return fmt.Sprintf("3.%d", e.minor), true
	case "python_full_version", "implementation_version":
		return e.full(), true
	case "implementation_name":
		return "cpython", true
	case "platform_release", "platform_version":
		return "", true
	}
	return "", false
}

// runs says whether something that asks for a Python ("Requires-Python") runs
// here. What cannot be read asks for nothing, as for pip.
func (e pyEnv) runs(requires string) bool {
	spec, err := parsePySpec(requires)
	if err != nil {
		return true
	}
	v, _ := parsePyVersion(e.full())
	return spec.has(e.full(), v)
}

// installs says whether pip installs a file here: a source archive, or a wheel
// for this Python and platform
// (https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/).
// How old a C library may be is not looked at.
func (e pyEnv) installs(file string) bool {
	stem, wheel := strings.CutSuffix(file, ".whl")
	if !wheel {
		return isSource(file)
	}
	parts := strings.Split(stem, "-")
	if len(parts) < 5 {
		return false
	}
	parts = parts[len(parts)-3:]
	return anyTag(parts[2], platformTag) && anyTag(parts[1], func(abi string) bool {
		return anyTag(parts[0], func(py string) bool { return e.pythonTag(py, abi) })
	})
}

func isSource(file string) bool {
	for _, ext := range []string{".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz"} {
		if strings.HasSuffix(file, ext) {
			return true
		}
	}
	return false
}

// anyTag calls f for the parts of a tag that stands for several, up to a few.
func anyTag(tags string, f func(string) bool) bool {
	for i, t := range strings.SplitN(tags, ".", 20) {
		if i < 20 && f(t) {
			return true
		}
	}
	return false
}

func platformTag(t string) bool {
	return t == "any" || t == "linux_x86_64" || strings.HasPrefix(t, "manylinux") && strings.HasSuffix(t, "_x86_64")
}

func (e pyEnv) pythonTag(py, abi string) bool {
	kind := strings.TrimRight(py, "0123456789")
	digits := py[len(kind):]
	if kind != "py" && kind != "cp" || !strings.HasPrefix(digits, "3") {
		return false
	}
	minor, err := strconv.Atoi(digits[1:])
	switch {
	case digits == "3":
		return kind == "py" && abi == "none"
	case err != nil || minor > e.minor:
		return false
	case kind == "py":
		return abi == "none"
	case abi == "abi3":
		return true
	}
	return minor == e.minor && (abi == "none" || abi == py)
}
