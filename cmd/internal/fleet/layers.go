package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fnaudit/fnaudit/cmd/internal/finding"
)

// judgedLayers are the layers that a report was made with, in merge order.
func judgedLayers(rep *finding.Report) []finding.DeployedLayer {
	var out []finding.DeployedLayer
	for _, a := range rep.Artifacts[1:] {
		out = append(out, finding.DeployedLayer{ARN: a.Ref, Size: a.Size, Digest: a.Digest})
	}
	return out
}

// layersOf are layers of which only the digests are known.
func layersOf(digests []string) []finding.DeployedLayer {
	var out []finding.DeployedLayer
	for _, d := range digests {
		out = append(out, finding.DeployedLayer{Digest: d})
	}
	return out
}

// compareLayers compares layers by place: a list of functions does not give their
// digests, so that equal numbers of layers of equal sizes prove nothing, while
// others do (CodeSize is the size of the archive in bytes,
// https://docs.aws.amazon.com/lambda/latest/api/API_Layer.html, read 2026-11-28).
// how says what differs.
func compareLayers(deployed, judged []finding.DeployedLayer) (match finding.LayersMatch, how string) {
	if len(deployed) != len(judged) {
		return finding.LayersOther, fmt.Sprintf("it has %s, and was judged with %s", finding.Count(len(deployed), "layer", "layers"), finding.Count(len(judged), "layer", "layers"))
	}
	match = finding.LayersSame
	for i, d := range deployed {
		j := judged[i]
		switch {
		case isDigest(d.Digest) && isDigest(j.Digest):
			if d.Digest != j.Digest {
				return finding.LayersOther, fmt.Sprintf("%s is %s, and %s was judged", d.ARN, d.Digest, j.Digest)
			}
		case d.Size > 0 && j.Size > 0 && d.Size != j.Size:
			return finding.LayersOther, fmt.Sprintf("%s has %s bytes, and %s were judged", d.ARN, finding.Thousands(d.Size), finding.Thousands(j.Size))
		default:
			match = finding.LayersUnproven
		}
	}
	return match, ""
}

// unproven says what would show that layers are the judged ones.
func unproven(d *finding.Deployed) string {
	for _, l := range d.Layers {
		if l.Digest == "" {
			return "nothing shows that its layers are the judged ones: save what aws lambda get-layer-version-by-arn --arn " + l.ARN + " answers, and give it as lambda-export:FILE too"
		}
	}
	return "nothing shows that its layers are the judged ones: what was judged has no digest"
}

// layer gathers who uses a version of a layer, and what is known against it.
type layer struct {
	arn       layerARN
	digest    string
	foreign   bool
	scanned   bool
	functions map[finding.Ref]bool
	helped    map[finding.Ref]bool
	findings  map[[2]string]finding.LayerFinding // by component and id
}

// lay notes the layers of a deployed function.
func (j *Join) lay(d *finding.Deployed) {
	for _, l := range d.Layers {
		used := j.layers[l.ARN]
		if used == nil {
			arn, _ := parseLayer(l.ARN)
			used = &layer{arn: arn, digest: l.Digest, functions: map[finding.Ref]bool{}, helped: map[finding.Ref]bool{}, findings: map[[2]string]finding.LayerFinding{}}
			j.layers[l.ARN] = used
			if l.Digest != "" {
				j.byLayer[l.Digest] = append(j.byLayer[l.Digest], l.ARN)
			}
		}
		used.functions[refOf(d)] = true
	}
}

func refOf(d *finding.Deployed) finding.Ref {
	return finding.Ref{Account: d.Account, Region: d.Region, Name: d.Name, Version: d.Version}
}

// weigh notes what is known against the layers of a report that is deployed: the
// findings about packages that lie in them.
func (j *Join) weigh(rep *finding.Report) {
	if len(rep.Artifacts) < 2 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range rep.Deployed { // their layers are those of the report, as far as is known
		for _, l := range rep.Deployed[i].Layers {
			j.layers[l.ARN].scanned = true
		}
	}
	in := map[string][]int{} // artifacts, but for the code, by package
	for _, c := range rep.Components {
		for _, l := range c.Locations {
			if l.Artifact > 0 && l.Artifact < len(rep.Artifacts) && !slices.Contains(in[c.PURL], l.Artifact) {
				in[c.PURL] = append(in[c.PURL], l.Artifact)
			}
		}
	}
	for _, f := range rep.Findings {
		if !against(f) {
			continue
		}
		for _, at := range in[f.Component] {
			for i := range rep.Deployed {
				d := &rep.Deployed[i]
				if at > len(d.Layers) {
					continue
				}
				used := j.layers[d.Layers[at-1].ARN]
				used.helped[finding.Ref{Account: d.Account, Region: d.Region, Name: d.Name}] = true
				used.note(f)
			}
		}
	}
}

// against says whether a finding speaks against a package, and counts.
func against(f finding.Finding) bool {
	return f.Component != "" && f.Waived == nil && !f.Baseline && f.Severity != finding.None
}

// alone notes what is known against a layer that was scanned by itself: a new version
// helps every function that uses it.
func (l *layer) alone(rep *finding.Report) {
	l.scanned = true
	for _, f := range rep.Findings {
		if !against(f) {
			continue
		}
		l.note(f)
		for r := range l.functions {
			r.Version = ""
			l.helped[r] = true
		}
	}
}

// note takes a finding once, the worse of two.
func (l *layer) note(f finding.Finding) {
	k := [2]string{f.Component, f.ID}
	have, ok := l.findings[k]
	if ok && f.Severity.Rank() <= have.Severity.Rank() {
		return
	}
	k = [2]string{strings.Clone(f.Component), strings.Clone(f.ID)} // the report's own are parts of its text, which would stay
	have = finding.LayerFinding{ID: k[1], Component: k[0], Severity: finding.Severity(strings.Clone(string(f.Severity))), Fixed: []string{}}
	for _, v := range f.Fixed {
		have.Fixed = append(have.Fixed, strings.Clone(v))
	}
	l.findings[k] = have
}

// maxLayerFindings is how many findings of a layer are listed.
const maxLayerFindings = 50

// layerList lists the layers, those whose change helps most functions first.
func (j *Join) layerList() []finding.FleetLayer {
	newest := map[string]string{}
	for _, l := range j.layers {
		if compareVersion(l.arn.version, newest[l.arn.layer]) > 0 {
			newest[l.arn.layer] = l.arn.version
		}
	}
	out := []finding.FleetLayer{}
	for arn, l := range j.layers {
		one := finding.FleetLayer{ARN: arn, Foreign: l.foreign, Digest: l.digest, Unscanned: !l.scanned, Functions: sortedRefs(l.functions), Helped: len(l.helped), Total: len(l.findings), Findings: []finding.LayerFinding{}}
		if v := newest[l.arn.layer]; v != l.arn.version {
			one.Newest = l.arn.layer + ":" + v
		}
		for _, f := range l.findings {
			one.Findings = append(one.Findings, f)
		}
		slices.SortFunc(one.Findings, func(a, b finding.LayerFinding) int {
			return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(a.Component, b.Component), cmp.Compare(a.ID, b.ID))
		})
		one.Findings = one.Findings[:min(len(one.Findings), maxLayerFindings)]
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b finding.FleetLayer) int {
		return cmp.Or(cmp.Compare(b.Helped, a.Helped), cmp.Compare(len(b.Functions), len(a.Functions)), cmp.Compare(a.ARN, b.ARN))
	})
	return out
}

func sortedRefs(set map[finding.Ref]bool) []finding.Ref {
	out := make([]finding.Ref, 0, len(set))
	for r := range set {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b finding.Ref) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name), compareVersion(a.Version, b.Version))
	})
	return out
}
