package attest

import (
	"context"
	"encoding/json"
	"fmt"
)

// verifyCloudBuild checks what "gcloud artifacts docker images describe
// --show-provenance --format json" prints: a document of Google Cloud Build's
// in which each provenance is a DSSE envelope, signed with a key of the builder. What
// stands beside the envelopes is signed by nobody and is not looked at. The
// regional keys of 2022 sign the payload without DSSE's framing, and do not hold here.
func verifyCloudBuild(ctx context.Context, req *Request, ev Evidence) []Result {
	var doc struct {
		Summary struct {
			Provenance []struct {
				Envelope json.RawMessage `json:"envelope"`
			} `json:"provenance"`
		} `json:"provenance_summary"`
	}
	if err := json.Unmarshal(ev.Data, &doc); err != nil {
		return []Result{reject(KindDSSE, StepParse, "provenance of Cloud Build: "+err.Error())}
	}
	var out []Result
	for i, p := range doc.Summary.Provenance {
		if i == maxDocuments {
			break
		}
		one := ev
		one.Source, one.Data = fmt.Sprintf("%s, provenance %d", ev.Source, i+1), p.Envelope
		for _, r := range verifyEnvelopeKey(ctx, req, one) {
			r.Source = one.Source
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return []Result{cannot(KindDSSE, StepFind, "the document of Cloud Build has no provenance in it")}
	}
	return out
}
