// Package oracle compares the matching of vulndb with that of osv-scanner
// 2.5.0, which is the reference for what an OSV record means.
//
// osv-scanner's offline mode hands each package to osv-scalibr's plugin
// vulnmatch/osvlocal (osv-scanner v2.5.0, pkg/osvscanner/scan.go), at the
// version that its go.mod names. This module requires that very version and
// calls the same function. It is a module of its own because the plugin pulls
// in most of osv-scalibr, which nothing that ships needs.
//
// The comparison runs over a real feed that is not part of this repository:
//
//	cd testdata/oracle && FNAUDIT_SHARED=/path/to/shared go test ./...
//
// Every difference must have a cause that the test can prove, by taking the
// cause away and asking osv-scanner again (see cause.go). One that has none
// fails the test.
package oracle
