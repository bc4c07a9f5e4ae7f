package audit

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/bundle"
	"github.com/fnaudit/fnaudit/cmd/internal/finding"
	"github.com/fnaudit/fnaudit/sbom"
)

// oddity says how an archive notice is reported.
type oddity struct {
	severity  finding.Severity
	title     string // "%s" is what was opened: the archive, the folder
	ambiguous bool   // loaders may disagree about what is inside although every copy was read: nobody can call it judged
}

// oddities rates what can be odd about an archive. The severities follow what
// the oddity lets an attacker do: overwrite a file of the host, show one
// content to the auditor and another to the loader, or merely hide data.
var oddities = map[bundle.NoticeKind]oddity{
	bundle.NoticeDuplicate:   {finding.Medium, "the same path is in the %s more than once", true},
	bundle.NoticeTraversal:   {finding.High, "a path leaves the %s's root", false},
	bundle.NoticeLinkEscape:  {finding.High, "a symbolic link leads out of the function", false},
	bundle.NoticeLinkLoop:    {finding.Medium, "symbolic links lead to one another", false},
	bundle.NoticeThroughLink: {finding.High, "an entry is written through a link or below a file", false},
	bundle.NoticeName:        {finding.Low, "a path holds characters that no file name should", false},
	bundle.NoticeCase:        {finding.Low, "paths differ only by upper and lower case", false},
	bundle.NoticeEncrypted:   {finding.Medium, "an entry is encrypted", false},
	bundle.NoticeMethod:      {finding.Medium, "an entry uses a compression method that loaders do not know", false},
	bundle.NoticeSize:        {finding.Medium, "declared and real size differ", false},
	bundle.NoticeCRC:         {finding.Medium, "a checksum does not match the content", false},
	bundle.NoticeCorrupt:     {finding.Medium, "compressed data cannot be decoded", false},
	bundle.NoticeTruncated:   {finding.Medium, "the %s ends too early", false},
	bundle.NoticeHeader:      {finding.High, "local header and central directory disagree", false},
	bundle.NoticeImage:       {finding.High, "the image is not what its manifest or its configuration says", false},
	bundle.NoticeHidden:      {finding.Medium, "the %s holds data that its directory does not list", false},
	bundle.NoticeOverlap:     {finding.High, "entries share the same bytes", false},
	bundle.NoticeSpecial:     {finding.Low, "a device, pipe or socket", false},
	bundle.NoticeSetuid:      {finding.Low, "a setuid or setgid bit is set", false},
	bundle.NoticeLimit:       {finding.Medium, "a limit was reached", false},
	bundle.NoticeEmpty:       {finding.Low, "the %s holds no file", false},
}

// ofImage are the titles that are others for container images, whose layers are
// tars: they have no directory and no local headers.
var ofImage = map[bundle.NoticeKind]string{
	bundle.NoticeDuplicate: "the same path is in the archive of the image more than once",
	bundle.NoticeTruncated: "a part of the image ends too early",
	bundle.NoticeHeader:    "a header of a layer that readers take in different ways",
	bundle.NoticeHidden:    "the image holds data behind the end of a layer or of its archive",
	bundle.NoticeMethod:    "a layer uses a compression that is not read",
	bundle.NoticeTraversal: "a path leaves the image's root",
	bundle.NoticeEmpty:     "the image holds no file",
}

// titleOf is the title of an oddity of an artifact.
func titleOf(kind bundle.NoticeKind, o oddity, artifact bundle.Kind) string {
	what := "archive"
	switch artifact {
	case bundle.KindImage, bundle.KindLayout:
		if title, ok := ofImage[kind]; ok {
			return title
		}
		what = "image"
	case bundle.KindDirectory:
		what = "folder"
	case bundle.KindBinary:
		what = "file"
	}
	return strings.ReplaceAll(o.title, "%s", what)
}

// maxPerKind is how many notices of one kind become findings of their own; a
// hostile archive can hold a million of them.
const maxPerKind = 20

// checkArchive reports what was odd about the archives themselves. It runs
// after cataloguing, because some oddities show only while a file is read.
func checkArchive(ctx context.Context, _ *Auditor, s *Subject) (Result, error) {
	type group struct {
		layer int
		kind  bundle.NoticeKind
	}
	var res Result
	count := map[group]int{}
	for _, n := range s.Function.Notices() {
		if err := ctx.Err(); err != nil {
			return res, err
		}
		o, ok := oddities[n.Kind]
		if !ok {
			o = oddity{finding.Medium, string(n.Kind), true} // a kind that nobody rated must not pass silently
		}
		g := group{n.Layer, n.Kind}
		count[g]++
		if count[g] <= maxPerKind {
			res.Findings = append(res.Findings, archiveFinding(s, n, o))
		}
		if o.ambiguous && n.Unread && count[g] == 1 {
			res.Unknowns = append(res.Unknowns, finding.Unknown{Artifact: n.Layer, Path: n.Path, Kind: string(sbom.Unreadable), Code: true,
				Reason: titleOf(n.Kind, o, s.Function.Layers[n.Layer].Kind) + ": loaders may disagree about what is inside"})
		}
	}
	for g, n := range count {
		if n > maxPerKind {
			f := archiveFinding(s, bundle.Notice{Layer: g.layer, Kind: g.kind, Detail: fmt.Sprintf("%d more of this kind, not listed one by one", n-maxPerKind)}, oddities[g.kind])
			f.ID += "+more"
			res.Findings = append(res.Findings, f)
		}
	}
	return res, nil
}

func archiveFinding(s *Subject, n bundle.Notice, o oddity) finding.Finding {
	where := "/" + path.Join(s.Function.Layers[n.Layer].Mount, n.Path) // not the archive's own path: that differs between machines
	origin := string(sbom.OriginApp)
	if n.Layer > 0 {
		origin = string(sbom.OriginLayer)
	}
	return finding.Finding{
		Kind: finding.KindArchive, Rule: string(n.Kind), ID: fmt.Sprintf("%s:%s", n.Kind, where),
		Severity: o.severity, Certainty: finding.Certain, Title: titleOf(n.Kind, o, s.Function.Layers[n.Layer].Kind) + ": " + where, Origin: origin,
		Evidence: []finding.Evidence{{Source: "archive", Locator: n.Path, Detail: n.Detail, Artifact: n.Layer}},
	}
}
