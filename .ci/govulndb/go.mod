module github.com/fnaudit/fnaudit/ci/govulndb

go 1.26.8
