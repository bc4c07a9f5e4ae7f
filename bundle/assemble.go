package bundle

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of AWS Lambda: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html,
// as of 2026-11.
const (
	lambdaUnzippedBytes = 250 << 20 // code, layers and custom runtime together
	lambdaLayers        = 5
)

// assemble settles platform, runtime and architecture, and mounts the artifacts
// where the platform mounts them.
func (f *Function) assemble() {
	f.Platform, f.Runtime, f.Arch = f.Spec.Platform, f.Spec.Runtime, f.Spec.Arch
	var g guesses = &guesser{f: f}
	if img := f.Volumes[0].Image(); img != nil {
		g = &imageGuess{f: f, v: f.Volumes[0], img: img}
	}
	if f.Platform == "" {
		if f.Platform = g.platform(); f.Platform != PlatformNone {
			f.Guessed = append(f.Guessed, "platform")
		}
	}
	if f.Runtime == "" {
		if f.Runtime = g.runtime(); f.Runtime != "" {
			f.Guessed = append(f.Guessed, "runtime")
		}
	}
	if f.Arch == "" {
		if f.Arch = g.arch(); f.Arch != "" && f.Volumes[0].Image() == nil {
			f.Guessed = append(f.Guessed, "architecture")
		}
	}
	if f.Handler == "" { // no guess: an image's configuration says what it runs
		f.Handler = g.handler()
	}
	slices.Sort(f.Guessed)
	code, layer := mountPoints(f.Platform)
	if f.Volumes[0].Image() != nil { // it is the whole file system
		code = ""
	}
	mounts := make([]Mount, len(f.Volumes))
	for i, v := range f.Volumes {
		mounts[i] = Mount{Volume: v, Path: layer}
		if i == 0 {
			mounts[i].Path = code
		}
		f.Layers[i].Mount = mounts[i].Path
	}
	f.Tree = Compose(mounts)
	for _, v := range f.Volumes {
		f.mountedLinks(v)
	}
	if f.Spec.Platform == PlatformAWS && f.Volumes[0].Image() == nil { // a guess is no ground for a complaint
		f.lambdaLimits()
	}
}

// guesses is who guesses from the content what nobody declared.
type guesses interface {
	platform() Platform
	runtime() string
	arch() string
	handler() string
}

// mountPoints says where a platform puts code and layers. Sources:
// docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html;
// learn.microsoft.com/azure/azure-functions/run-functions-from-deployment-package;
// cloud.google.com/docs/buildpacks (the application folder is /workspace).
func mountPoints(p Platform) (code, layer string) {
	switch p {
	case PlatformAWS:
		return "var/task", "opt"
	case PlatformAzure:
		return "home/site/wwwroot", "opt"
	case PlatformGoogle, PlatformKnative:
		return "workspace", "opt"
	}
	return "", "opt"
}

func (f *Function) lambdaLimits() {
	var sum int64
	for _, v := range f.Volumes {
		if sum += v.DeclaredBytes(); sum < 0 {
			sum = 1<<63 - 1
		}
	}
	if sum > lambdaUnzippedBytes {
		f.notices = append(f.notices, Notice{Kind: NoticeLimit,
			Detail: fmt.Sprintf("AWS Lambda takes 250 MB unzipped with all layers (%d bytes), this has %d", lambdaUnzippedBytes, sum)})
	}
	if n := len(f.Volumes) - 1; n > lambdaLayers {
		f.notices = append(f.notices, Notice{Kind: NoticeLimit,
			Detail: fmt.Sprintf("AWS Lambda takes %d layers, this has %d", lambdaLayers, n)})
	}
}

// has reports whether a path is a file or a folder of the volume.
func (v *Volume) has(path string) bool {
	files := v.Files()
	i, ok := slices.BinarySearchFunc(files, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if ok {
		return true
	}
	below := path + "/"
	j, _ := slices.BinarySearchFunc(files[i:], below, func(f File, p string) int { return strings.Compare(f.Path, p) })
	return i+j < len(files) && strings.HasPrefix(files[i+j].Path, below)
}
