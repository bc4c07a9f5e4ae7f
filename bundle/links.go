package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxLinkBytes is the longest target of a link that is read: PATH_MAX of Linux.
const maxLinkBytes = 4096

// stepsPerLink bounds the work of checking links: MaxLinks times this many
// path elements for a whole artifact.
const stepsPerLink = 64

// platformRoots are the folders where a platform mounts code and layers. An
// absolute link into one of them stays within what was shipped.
func platformRoots() []string {
	return []string{"/var/task", "/opt", "/home/site/wwwroot", "/workspace"}
}

// checkLinks notices links that lead out of the artifact or in circles. What an
// escaping link shows at run time is not part of what was shipped, so it counts
// as unread. No link leads out of a container image, which has a root of its
// own, and of its many links those that are not checked hide nothing.
func (p *pack) checkLinks(log *noticeLog) {
	v := newVolume(p, "")
	t := v.Tree()
	if !t.links {
		return
	}
	n, steps := 0, p.lim.MaxLinks*stepsPerLink
	for _, f := range t.files {
		if f.Mode&fs.ModeSymlink == 0 {
			continue
		}
		if n++; n > p.lim.MaxLinks || steps <= 0 {
			log.add(Notice{Kind: NoticeLimit, Unread: p.image == nil, Detail: fmt.Sprintf("more links than MaxLinks, %d, allows to check", p.lim.MaxLinks)})
			return
		}
		if f.Link == "" {
			continue // noticed where it was read
		}
		if where := escapes(f); where != "" && p.image == nil {
			log.add(Notice{Path: f.Path, Kind: NoticeLinkEscape, Unread: !withinPlatform(f.Link), Detail: where + " " + quoted(f.Link)})
			continue
		}
		_, err := t.walkSteps(f.Path, true, &steps)
		var u *unreadable
		if errors.As(err, &u) {
			log.add(Notice{Path: f.Path, Kind: u.kind, Unread: p.image == nil, Detail: u.detail + ": " + quoted(f.Link)})
		}
	}
}

// escapes says how a link leaves the artifact by its words alone.
func escapes(f File) string {
	switch to := f.Link; {
	case strings.HasPrefix(to, "/"), drive(to):
		return "absolute link to"
	case strings.ContainsAny(to, "\x00\\"):
		return "link with a NUL or backslash to"
	default:
		to = path.Join(parent(f.Path), to)
		if to == ".." || strings.HasPrefix(to, "../") {
			return "link out of the artifact to"
		}
	}
	return ""
}

func withinPlatform(target string) bool {
	target = path.Clean(target)
	for _, r := range platformRoots() {
		if target == r || strings.HasPrefix(target, r+"/") {
			return true
		}
	}
	return false
}

// mountedLinks notices links into the folders where the platform mounts code
// and layers that lead to nothing there: what runs is in a layer that nobody
// gave. It looks at what is mounted, so it is done when all is.
func (f *Function) mountedLinks(v *Volume) {
	if v.Image() != nil {
		return
	}
	n := 0
	for _, file := range v.Files() {
		if file.Mode&fs.ModeSymlink == 0 || !strings.HasPrefix(file.Link, "/") || !withinPlatform(file.Link) {
			continue
		}
		if n++; n > v.pack.lim.MaxLinks {
			return // said by checkLinks
		}
		if !f.mounted(path.Clean(file.Link)) {
			v.notice(Notice{Path: file.Path, Kind: NoticeLinkEscape, Unread: true, Detail: "link to " + quoted(file.Link) + ", which nothing that was given brings: name the layer that does"})
		}
	}
}

// mounted reports whether something lies at an absolute path of the platform.
// Without a platform the code is mounted at the root, wherever it is meant for.
func (f *Function) mounted(target string) bool {
	paths := []string{target}
	if f.Platform == PlatformNone {
		for _, r := range platformRoots() {
			if rest, ok := strings.CutPrefix(target, r); ok && (rest == "" || rest[0] == '/') {
				paths = append(paths, rest)
			}
		}
	}
	for _, p := range paths {
		if p = strings.TrimPrefix(p, "/"); p == "" {
			return true
		}
		if _, err := f.Tree.walk(p, true); err == nil {
			return true
		}
	}
	return false
}
