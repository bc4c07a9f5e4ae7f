// Package vex reads what others say of findings: OpenVEX 0.2.0 (and the 0.0.x
// before it) and the vulnerabilities of a CycloneDX document (1.4 to 1.7), both
// as JSON.
//
// A document is not signed. It is believed because whoever runs the program
// named its file, so none is ever looked for, least of all in what is audited.
// What a statement makes of a verdict is the policy's to decide; this package
// only finds the statement about a finding and marks the finding with it.
//
// Of several statements about one finding the latest holds, and of equally late
// ones the most cautious: affected, under investigation, fixed, not affected. The
// order of the files does not matter.
package vex
