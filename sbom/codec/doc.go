// Package codec reads and writes bills of materials in the formats of other
// tools.
//
// Out: CycloneDX 1.6 JSON and SPDX 2.3 JSON. In: CycloneDX JSON 1.2 to 1.7,
// SPDX JSON 2.2 and 2.3, and syft JSON; the format is found from the content.
//
// What is written depends on the Document alone: lists are sorted, the serial
// number is a UUID version 5 of the subject's digest and the advisory
// snapshot, and the time is the caller's. What a document of ours says beyond
// the standard (state, origin, candidate versions, unknowns) stands in
// properties that start with "fnaudit:" (CycloneDX) or in annotations (SPDX),
// and survives a round trip. Nothing that was unknown becomes known by being
// written: a bill of materials with unknowns says so in its own format.
//
// What is read is hostile. Size, nesting, the number of values and the number
// of components have limits with names, and a component that cannot be
// matched against advisories is kept and reported as unknown, never dropped.
//
// Every text that is written came from an artifact or may have, so all JSON
// goes through WriteJSON, which leaves no character in it that a terminal, a
// browser or a CI log could act on.
package codec
